import { assertEquals } from "@std/assert";
import { Proxy } from "../support/proxy.ts";
import { Backend } from "../support/servers.ts";
import { receiveAll, send } from "../support/sockets.ts";

Deno.test("the proxy routes to two backends by what the client sends", async () => {
  await using one = new Backend((socket) => send(socket, "one"));
  await using two = new Backend((socket) => send(socket, "two"));
  await using proxy = await Proxy.start(`export default {
    route(data) {
      if (data.startsWith("a")) return { remote: "${one.remote}" };
      if (data.startsWith("b")) return { remote: "${two.remote}" };
    },
  };`);

  for (const [request, answer] of [["a", "one"], ["b", "two"]] as const) {
    using client = await proxy.connect();
    await send(client, request);
    assertEquals(await receiveAll(client), answer);
  }
});
