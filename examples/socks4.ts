// A SOCKS4 proxy; with SOCKS4a the client may leave host names to the proxy.
//   deno task start -c examples/socks4.ts -h 127.0.0.1 -p 1080
//   curl --socks4a 127.0.0.1:1080 http://example.com/
import { latin1, type Router } from "proxymachine";
import { socks4 } from "proxymachine/protocols";

const GRANTED = latin1("\0\x5a\0\0\0\0\0\0");
const REJECTED = latin1("\0\x5b\0\0\0\0\0\0");

export default {
  route(data) {
    const request = socks4(data);
    if (request === undefined) return { noop: true };
    if (request?.command !== "connect") return { close: REJECTED };
    return {
      remote: `${request.host}:${request.port}`,
      reply: GRANTED,
      data: data.bytes.slice(request.length), // what follows the request
    };
  },
} satisfies Router;
