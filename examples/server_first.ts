// Routes by the client's address, before any byte: for protocols in which the
// client waits for the server to speak first, such as MySQL, SMTP and FTP.
//   deno task start -c examples/server_first.ts -p 2222
import type { Router } from "proxymachine";

const ADMINISTRATORS = new Set(["10.0.0.7", "10.0.0.8"]);

export default {
  accept({ remoteAddr }) {
    return remoteAddr.transport === "tcp" &&
        ADMINISTRATORS.has(remoteAddr.hostname)
      ? { remote: "127.0.0.1:9001" }
      : { remote: "127.0.0.1:9002" };
  },
} satisfies Router;
