// HTTPS and SSH on one port, told apart by the client's first bytes:
//   deno task start -c examples/https_and_ssh.ts -p 443
//   ssh -p 443 localhost
import type { Router } from "proxymachine";
import { ssh, tls } from "proxymachine/protocols";

const HTTPS = "127.0.0.1:9001";
const SSH = "127.0.0.1:9002";

export default {
  route(data) {
    if (tls(data)) return { remote: HTTPS };
    if (ssh(data)) return { remote: SSH };
    const isNeither = tls(data) === null && ssh(data) === null;
    return isNeither ? { close: true } : { noop: true };
  },

  // some clients of SSH wait for the server to speak first
  timeout: (data) => data.length === 0 ? { remote: SSH } : { close: true },
} satisfies Router;
