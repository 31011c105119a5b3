/**
 * The title of the process.
 */
import { Proxy } from "../support/proxy.ts";
import { routerTo } from "../support/routers.ts";
import { Upstream } from "../support/servers.ts";
import { test } from "../support/test.ts";

if (Deno.build.os === "linux") {
  test("the title of the process has the connections: current/maximum/total", async () => {
    using upstream = new Upstream();
    await using proxy = await Proxy.start(routerTo(upstream.remote));
    const shows = async (title: string) => {
      const until = performance.now() + 60_000;
      for (;;) {
        const text = await Deno.readTextFile(`/proc/${proxy.pid}/cmdline`);
        if (text.startsWith(title)) return;
        if (performance.now() > until) {
          throw new Error(`The title is ${text} and not ${title}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await shows("proxymachine 2.0.0 0/0/0 cur/max/tot conns\0");
    using _first = await proxy.join(upstream);
    {
      using _second = await proxy.join(upstream);
      await shows("proxymachine 2.0.0 2/2/2 cur/max/tot conns\0");
    }
    await shows("proxymachine 2.0.0 1/2/2 cur/max/tot conns\0");
  });
}
