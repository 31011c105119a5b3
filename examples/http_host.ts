// Routes HTTP by the host name in the first request of a connection:
//   deno task start -c examples/http_host.ts -p 8080
//   curl --connect-to ::localhost:8080 http://a.example/
import type { Router } from "proxymachine";
import { http } from "proxymachine/protocols";

const SITES = new Map([
  ["a.example", "127.0.0.1:9001"],
  ["b.example", "127.0.0.1:9002"],
]);

const answer = (status: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;

export default {
  route(data) {
    const request = http(data);
    if (request === undefined) return { noop: true };
    if (request === null) return { close: answer("400 Bad Request") };
    const remote = SITES.get(request.host ?? "");
    return remote ? { remote } : { close: answer("404 Not Found") };
  },
} satisfies Router;
