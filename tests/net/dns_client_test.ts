import { assertEquals, assertStrictEquals } from "@std/assert";
import { StubResolver } from "../../src/net/dns_client.ts";
import type { Answer } from "../../src/net/dns_message.ts";
import type { ResolverConfig } from "../../src/net/resolver_files.ts";
import { type Answering, DnsServer } from "../support/dns_server.ts";

Deno.test("StubResolver finds addresses, their time to live, and follows aliases", async () => {
  await withServer(
    (_, type) =>
      type === "A"
        ? {
          records: ["192.0.2.1", "192.0.2.2"],
          ttl: 7,
          aliases: ["b.example", "c.example"],
        }
        : { records: ["2001:db8::1"], ttl: 9 },
    async ({ query }) => {
      assertEquals(addressesOf(await query("a.example", "A")), [
        "192.0.2.1",
        "192.0.2.2",
      ]);
      const answer = await query("a.example", "AAAA");
      assertEquals(addressesOf(answer), ["2001:db8::1"]);
      assertStrictEquals("ttl" in answer && answer.ttl, 9);
    },
  );
});

Deno.test("StubResolver finds services with their priorities and weights", async () => {
  const data = { priority: 1, weight: 2, port: 8080, target: "a.example" };
  await withServer(() => ({ records: [data] }), async ({ query }) => {
    const answer = await query("_http._tcp.example", "SRV");
    assertEquals(answer.kind === "found" && answer.services, [data]);
  });
});

Deno.test("StubResolver tells a name without such records from one that does not exist", async () => {
  await withServer(
    (name) => name === "a.example" ? "none" : "NXDOMAIN",
    async ({ query }) => {
      assertStrictEquals((await query("a.example", "A")).kind, "none");
      assertStrictEquals((await query("b.example", "A")).kind, "no-name");
    },
  );
});

Deno.test("StubResolver asks over TCP when the answer over UDP is cut short", async () => {
  const records = Array.from({ length: 60 }, (_, i) => `192.0.2.${i + 1}`);
  await withServer(
    () => ({ records, truncated: true }),
    async ({ query, server }) => {
      assertEquals(addressesOf(await query("many.example", "A")), records);
      assertStrictEquals(server.count("many.example"), 2);
    },
  );
});

Deno.test("StubResolver says that nobody has answered when the server is silent, as often as it may ask", async () => {
  await withServer(
    () => "silence",
    async ({ query, server }) => {
      assertEquals(await query("a.example", "A"), {
        kind: "failed",
        error: "no answer from 127.0.0.1",
      });
      assertStrictEquals(server.count("a.example"), 2);
    },
    { attempts: 2, timeout: 50 },
  );
});

Deno.test("StubResolver asks a server that cannot answer only once", async () => {
  await withServer(() => "SERVFAIL", async ({ query, server }) => {
    assertEquals(await query("a.example", "A"), {
      kind: "failed",
      error: "SERVFAIL from 127.0.0.1",
    });
    assertStrictEquals(server.count("a.example"), 1);
  }, { attempts: 2 });
});

Deno.test("StubResolver asks the next server when one is silent or cannot answer", async () => {
  for (const first of ["silence", "SERVFAIL"] as const) {
    await using bad = await DnsServer.start(() => first);
    await using good = await DnsServer.start(() => ({
      records: ["192.0.2.9"],
    }));
    const resolver = new StubResolver(
      config({ servers: [bad, good].map(hostPort), timeout: 50 }),
    );
    const answer = await resolver.query("a.example", "A");
    assertEquals(addressesOf(answer), ["192.0.2.9"]);
    resolver.close();
  }
});

Deno.test("StubResolver says why a name cannot be asked for", async () => {
  await withServer(() => "none", async ({ query, server }) => {
    const answer = await query(`${"a".repeat(64)}.example`, "A");
    assertStrictEquals(answer.kind, "failed");
    assertStrictEquals(server.asked.length, 0);
  });
});

Deno.test("StubResolver answers 300 questions at once, from several ports", async () => {
  await withServer(
    (name) => ({ records: [`192.0.2.${name.split(".")[0]}`] }),
    async ({ query }) => {
      const answers = await Promise.all(
        Array.from({ length: 300 }, (_, i) => query(`${i % 250}.example`, "A")),
      );
      answers.forEach((answer, i) =>
        assertEquals(addressesOf(answer), [`192.0.2.${i % 250}`])
      );
    },
  );
});

interface Asking {
  readonly server: DnsServer;
  readonly query: StubResolver["query"];
}

async function withServer(
  answering: Answering,
  action: (asking: Asking) => Promise<void>,
  changes: Partial<ResolverConfig> = {},
): Promise<void> {
  await using server = await DnsServer.start(answering);
  const resolver = new StubResolver(
    config({ servers: [hostPort(server)], ...changes }),
  );
  try {
    await action({ server, query: (...args) => resolver.query(...args) });
  } finally {
    resolver.close();
  }
}

function config(changes: Partial<ResolverConfig>): ResolverConfig {
  return {
    servers: [],
    search: [],
    ndots: 1,
    timeout: 2000,
    attempts: 1,
    rotate: false,
    ...changes,
  };
}

function hostPort({ port }: DnsServer) {
  return { hostname: "127.0.0.1", port };
}

function addressesOf(answer: Answer): readonly string[] {
  assertStrictEquals(answer.kind, "found", JSON.stringify(answer));
  return "addresses" in answer ? answer.addresses : [];
}
