// TLS ends here, with a certificate for each name. Routes by the name that the
// client asked for, and by the protocol that was agreed on.
//   deno task start -c examples/tls_sni.ts -p 8443 --alpn h2,http/1.1 \
//     --tls-cert a.pem --tls-key a.key --tls-cert b.pem --tls-key b.key
//   curl --connect-to ::localhost:8443 https://a.example/
import type { Router } from "proxymachine";

const SITES: Record<string, { h2: string; http1: string }> = {
  "a.example": { h2: "127.0.0.1:9001", http1: "127.0.0.1:9002" },
  "b.example": { h2: "127.0.0.1:9003", http1: "127.0.0.1:9004" },
};

export default {
  accept({ tls }) {
    const site = SITES[tls?.serverName ?? ""];
    if (site === undefined) return { close: true };
    return { remote: tls?.alpn === "h2" ? site.h2 : site.http1 };
  },
} satisfies Router;
