// Looks the server of a site up in Redis, for any number of proxies behind a
// load balancer: redis-cli SET site:a.example 127.0.0.1:9001
//   deno task start -c examples/redis_table.ts -p 8080
import type { Router } from "proxymachine";
import { http } from "proxymachine/protocols";
import { redisTable } from "proxymachine/table";

const sites = redisTable({
  url: "redis://127.0.0.1:6379/0",
  prefix: "site:",
});

export default {
  async route(data) {
    const request = http(data);
    if (request === undefined) return { noop: true };
    const remote = await sites.get(request?.host ?? "");
    if (remote) return { remote, connectTimeout: 1 };
    return { close: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" };
  },
} satisfies Router;
