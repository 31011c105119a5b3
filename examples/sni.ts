// Routes TLS by the server name in the client's hello. Nothing is decrypted:
// the certificates stay with the backends.
//   deno task start -c examples/sni.ts -p 8443
//   curl --connect-to ::localhost:8443 https://a.example/
import { latin1, type Router } from "proxymachine";
import { tls } from "proxymachine/protocols";

const SITES = new Map([
  ["a.example", "127.0.0.1:9001"],
  ["b.example", "127.0.0.1:9002"],
]);

// an alert of TLS: unrecognized_name
const UNKNOWN_NAME = latin1("\x15\x03\x01\0\x02\x02\x70");

export default {
  route(data) {
    const hello = tls(data);
    if (hello === undefined) return { noop: true };
    const remote = SITES.get(hello?.serverName ?? "");
    return remote ? { remote } : { close: UNKNOWN_NAME };
  },
} satisfies Router;
