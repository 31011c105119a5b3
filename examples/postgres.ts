// Routes PostgreSQL by database. A client asks for encryption before it names
// one: it is told no, and then sends its startup message in the clear.
//   deno task start -c examples/postgres.ts -p 5433
//   psql -h localhost -p 5433 sales
import type { Router } from "proxymachine";
import { postgres } from "proxymachine/protocols";

const SERVERS = new Map([
  ["sales", "127.0.0.1:9001"],
  ["stock", "127.0.0.1:9002"],
]);

export default {
  route(data) {
    const message = postgres(data);
    if (message === undefined) return { noop: true };
    if (message?.kind === "ssl" || message?.kind === "gss") {
      return { reply: "N", consume: message.length };
    }
    if (message?.kind !== "startup") return { close: true };
    const remote = SERVERS.get(message.database);
    return remote ? { remote } : { close: true };
  },
} satisfies Router;
