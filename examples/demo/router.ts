import type { Router } from "proxymachine";

const backends: Record<string, string> = {
  "one.example": "127.0.0.1:15001",
  "two.example": "127.0.0.1:15002",
};

export default {
  route(data) {
    const host = data.match(/\r\nHost: *([^\r\n:]+)/i)?.[1];
    if (host === undefined) return { noop: true };
    const remote = backends[host.toLowerCase()];
    return remote ? { remote } : { close: "HTTP/1.1 404 Not Found\r\n\r\n" };
  },
} satisfies Router;
