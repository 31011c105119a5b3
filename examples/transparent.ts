// Passes every connection on to one backend, whatever the protocol:
//   deno task start -c examples/transparent.ts -p 8080
import type { Router } from "proxymachine";

const BACKEND = "127.0.0.1:9001";

export default {
  accept: () => ({ remote: BACKEND }),
} satisfies Router;
