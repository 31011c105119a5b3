import { assertEquals } from "@std/assert";
import {
  parseHosts,
  parseResolvConf,
  searchNames,
} from "../../src/net/resolver_files.ts";

Deno.test("parseResolvConf() reads servers, search domains and options", () => {
  assertEquals(
    parseResolvConf(`# made by Kubernetes
search ns.svc.cluster.local svc.cluster.local. cluster.local
nameserver 10.96.0.10
nameserver fd00::10 ; the second
options ndots:5 timeout:2 attempts:3 rotate edns0
`),
    {
      servers: [
        { hostname: "10.96.0.10", port: 53 },
        { hostname: "fd00::10", port: 53 },
      ],
      search: ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local"],
      ndots: 5,
      timeout: 2000,
      attempts: 3,
      rotate: true,
    },
  );
});

Deno.test("parseResolvConf() has the defaults of resolv.conf(5) for what is left out", () => {
  for (const text of ["", "options ndots:x timeout: attempts:-1\nnameserver"]) {
    assertEquals(parseResolvConf(text), {
      servers: [{ hostname: "127.0.0.1", port: 53 }],
      search: [],
      ndots: 1,
      timeout: 5000,
      attempts: 2,
      rotate: false,
    });
  }
});

Deno.test("parseResolvConf() keeps within the limits of resolv.conf(5)", () => {
  const { servers, ndots, timeout, attempts } = parseResolvConf(
    `nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3
nameserver 192.0.2.4\noptions ndots:99 timeout:99 attempts:99`,
  );
  assertEquals([servers.length, ndots, timeout, attempts], [
    3,
    15,
    30_000,
    5,
  ]);
});

Deno.test("parseHosts() reads each name with all of its addresses", () => {
  const hosts = parseHosts(`127.0.0.1 localhost # this machine
192.0.2.1\tDB.example db
::1 localhost ip6-localhost
fe80::1%eth0 link
nonsense line
192.0.2.2 db
`);
  assertEquals(Object.fromEntries(hosts), {
    "localhost": ["127.0.0.1", "::1"],
    "db.example": ["192.0.2.1"],
    "db": ["192.0.2.1", "192.0.2.2"],
    "ip6-localhost": ["::1"],
    "link": ["fe80::1%eth0"],
  });
});

Deno.test("searchNames() appends domains to names with few dots first, to others last", () => {
  const config = { search: ["a.test", "b.test"], ndots: 2 };
  assertEquals(searchNames("db", config), ["db.a.test", "db.b.test", "db"]);
  assertEquals(searchNames("x.y.z", config), [
    "x.y.z",
    "x.y.z.a.test",
    "x.y.z.b.test",
  ]);
  assertEquals(searchNames("db.", config), ["db"]);
});
