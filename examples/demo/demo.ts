/**
 * `deno task demo`: two small HTTP servers, and the proxy in front of them with
 * a router by the Host header.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { main } from "../../main.ts";

const router = fileURLToPath(new URL("./router.ts", import.meta.url));
const hostname = "127.0.0.1";

try {
  for (const [name, port] of [["one", 15001], ["two", 15002]] as const) {
    Deno.serve({ hostname, port, onListen() {} }, (request) => {
      const host = request.headers.get("host");
      return new Response(`Hello from backend ${name}, for ${host}\n`);
    });
  }
} catch (error) {
  console.error(
    `Cannot start the demo as its backends need the ports 15001 and 15002: ${error}`,
  );
  Deno.exit(1);
}

console.log(`
Two HTTP servers on 127.0.0.1:15001 and 127.0.0.1:15002, and proxymachine on
127.0.0.1:5432 in front of them, with this router:

${await Deno.readTextFile(router)}
Try, in another terminal:

  curl -H "Host: one.example" http://127.0.0.1:5432/
  curl -H "Host: two.example" http://127.0.0.1:5432/
  curl -H "Host: three.example" http://127.0.0.1:5432/

Press Ctrl-C to stop.
`);

Deno.exit(await main(["-c", router, "-h", hostname, ...Deno.args]));
