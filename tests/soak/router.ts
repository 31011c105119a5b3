/**
 * The router of the soak test: the first word of a client says what is to become
 * of it.
 *
 * @module
 */
import { REFUSING } from "../support/ports.ts";
import type { Remotes } from "./backend.ts";

/**
 * Writes the router.
 *
 * @param remotes Where the remotes listen.
 * @param ca The certificate, in PEM, that the one with TLS is verified by.
 * @param redis The URL of a Redis that has a remote called `a`.
 */
export function routerFor(
  remotes: Remotes,
  ca: string,
  redis: string,
): string {
  const to = (remote: string) => `() => ({ remote: "${remote}" })`;
  return `import { pool } from "proxymachine/pool";
import { redisTable } from "proxymachine/table";

const names = redisTable({ url: "${redis}", timeout: 30 });

const http = pool("http", {
  members: ${JSON.stringify([...remotes.http, REFUSING])},
  check: { interval: 1, timeout: 30 },
});
const tls = { ca: ${JSON.stringify(ca)} };
const later = (decision) =>
  new Promise((resolve) => setTimeout(resolve, 300, decision));

const words = {
  GET: () => http.pick(),
  echo: ${to(remotes.echo)},
  table: async () => ({ remote: await names.get("a") }),
  page: ${to(remotes.page)},
  stream: ${to(remotes.stream)},
  trickle: ${to(remotes.slow)},
  tls: () => ({ remote: "${remotes.tls}", tls }),
  header: () => ({ remote: "${remotes.header}", proxyProtocol: 1 }),
  refuse: ${to(REFUSING)},
  leave: ${to(remotes.closing)},
  reset: ${to(remotes.resetting)},
  silence: () => ({ remote: "${remotes.silent}", inactivityTimeout: 0.5 }),
  wait: ${to(remotes.silent)},
  later: () => later({ remote: "${remotes.echo}" }),
  hello: (data) => ({ reply: "hi\\n", consume: data.text.indexOf("\\n") + 1 }),
  who: (_, client) => ({ close: client.remoteAddr.hostname }),
  probe: () => ({ close: "ok" }),
  mistake: () => ({ remote: "nowhere" }),
  throw() {
    throw new Error("thrown by the router");
  },
};

export default {
  route(data, client) {
    const end = data.text.search(/[ \\n]/);
    if (end < 0) return undefined;
    return Object.hasOwn(words, data.text.slice(0, end))
      ? words[data.text.slice(0, end)](data, client)
      : { close: true };
  },
};
`;
}
