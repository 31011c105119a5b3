// A SOCKS5 proxy: answers the greeting first, and then the request behind it.
//   deno task start -c examples/socks5.ts -h 127.0.0.1 -p 1080
import { type Client, latin1, type Router } from "proxymachine";
import { socks5, socks5Request } from "proxymachine/protocols";

const reply = (code: string) => latin1(`\x05${code}\0\x01\0\0\0\0\0\0`);
const greeted = new WeakSet<Client>();

export default {
  route(data, client) {
    if (!greeted.has(client)) {
      const greeting = socks5(data);
      if (greeting === undefined) return { noop: true };
      if (!greeting?.methods.includes(0)) return { close: latin1("\x05\xff") };
      greeted.add(client);
      return { reply: latin1("\x05\0"), consume: greeting.length };
    }
    const request = socks5Request(data);
    if (request === undefined) return { noop: true };
    if (request?.command !== "connect") return { close: reply("\x07") };
    const { host, port, length } = request;
    const remote = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return { remote, reply: reply("\0"), data: data.bytes.slice(length) };
  },
} satisfies Router;
