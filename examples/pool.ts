// Shares web clients among servers that answer their health check. The same
// path goes to the same server, so that each keeps its own part in its cache.
//   deno task start -c examples/pool.ts -p 8080
import type { Router } from "proxymachine";
import { pool } from "proxymachine/pool";
import { http } from "proxymachine/protocols";

const web = pool("web", {
  members: ["127.0.0.1:9001", { remote: "127.0.0.1:9002", weight: 2 }],
  policy: "hash",
  passive: { failures: 3, backoff: 1 },
  check: { interval: 2, send: "HEAD / HTTP/1.0\r\n\r\n", expect: /^HTTP\S+ 2/ },
});

export default {
  route(data) {
    const request = http(data);
    if (request === undefined) return { noop: true };
    if (request === null) return { close: true };
    return { ...web.pick(request.path), connectTimeout: 1 };
  },
  connectError: () => ({ close: "HTTP/1.1 503 Service Unavailable\r\n\r\n" }),
} satisfies Router;
