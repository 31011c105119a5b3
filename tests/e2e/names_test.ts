import { runInNamespace, whyNoNamespace } from "../support/namespace.ts";
import { SCENARIOS } from "./names_world.ts";

const why = whyNoNamespace();
const ignored = why === undefined ? "" : ` (skipped: ${why})`;

for (const scenario of Object.keys(SCENARIOS)) {
  Deno.test(`names: ${scenario}${ignored}`, {
    ignore: why !== undefined,
    timeout: 300_000,
  }, async () => {
    await runInNamespace(
      new URL("names_world.ts", import.meta.url).href,
      [scenario],
      {
        resolvConf: `nameserver 127.0.0.1
search a.search b.search
options ndots:1 timeout:2 attempts:2
`,
        hosts: "127.0.0.1 localhost\n::1 localhost\n127.0.0.7 inhosts\n",
        // an interface that takes packets, and drops them
        setup: `ip link add drop0 type veth peer name drop1
ip addr add 192.0.2.254/24 dev drop0
ip link set drop0 arp off up
ip link set drop1 up`,
      },
    );
  });
}
