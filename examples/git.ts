// Routes git:// by the first folder of the path: each account has its server.
//   deno task start -c examples/git.ts -p 9418
//   git clone git://localhost/alice/project
import type { Router } from "proxymachine";

const SERVERS = new Map([
  ["alice", "127.0.0.1:9001"],
  ["bob", "127.0.0.1:9002"],
]);

const REQUEST = /^....git-upload-pack \/([\w.-]+)\/[\w.-]+\0host=[^\0]+\0/s;

export default {
  route(data) {
    const account = data.match(REQUEST)?.[1];
    if (account === undefined) return { noop: true };
    const remote = SERVERS.get(account);
    // git shows what stands behind ERR; the first four digits are the length
    return remote ? { remote } : { close: "0017ERR no such account" };
  },
} satisfies Router;
