import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type { DnsClient } from "../../src/net/dns_client.ts";
import type { Answer, RecordType } from "../../src/net/dns_message.ts";
import {
  type NameChange,
  type NameEvent,
  Names,
  type NamesOptions,
  NoSuchName,
} from "../../src/net/names.ts";

const A1 = "192.0.2.1";
const A2 = "192.0.2.2";
const A3 = "192.0.2.3";
const V6 = "2001:db8::1";

Deno.test("lookup() asks once per time to live, whoever wants the name", async () => {
  const world = new World({ "web.example A": found([A1], 60) });
  await Promise.all(
    Array.from({ length: 100 }, () => world.lookup("web.example")),
  );
  world.pass(50_000);
  assertEquals(await world.lookup("WEB.example"), [A1]);
  assertStrictEquals(
    world.count("web.example A"),
    2,
    "one for each way to write it",
  );
  for (let i = 0; i < 100; i++) await world.lookup("web.example");
  assertStrictEquals(world.count("web.example A"), 2);
});

Deno.test("lookup() asks again before the time to live is over, and takes the new address", async () => {
  const world = new World({ "web.example A": found([A1], 10) });
  await world.lookup("web.example");
  world.answers["web.example A"] = found([A2], 10);
  world.pass(9_500);
  assertEquals(await world.lookup("web.example"), [A1], "nobody waits");
  await world.settled();
  assertEquals(await world.lookup("web.example"), [A2]);
});

Deno.test("lookup() waits for the answer when the time to live is long over", async () => {
  const world = new World({ "web.example A": found([A1], 1) });
  await world.lookup("web.example");
  world.answers["web.example A"] = found([A2], 1);
  world.pass(60_000);
  assertEquals(await world.lookup("web.example"), [A2]);
});

Deno.test("the last known addresses hold while nobody answers, and no longer than `hold`", async () => {
  for (const nothing of [failed("SERVFAIL from ns"), silence()]) {
    const world = new World({ "web.example A": found([A1], 1) }, {
      hold: 100_000,
    });
    await world.lookup("web.example");
    world.answers["web.example A"] =
      world.answers["web.example AAAA"] =
        nothing;
    for (let second = 2; second < 100; second += 2) {
      world.pass(2_000);
      assertEquals(await world.lookup("web.example"), [A1]);
    }
    assert((world.counts["stale-addresses"] ?? 0) > 10);
    world.pass(10_000);
    if (nothing.kind === "failed") {
      await assertRejects(
        async () => await world.lookup("web.example"),
        Error,
        "no name server has answered for web.example: SERVFAIL from ns",
      );
    }
    world.release();
    await world.settled();
  }
});

Deno.test("one change says that a name begins to fail, and one that it is answered again", async () => {
  const world = new World({ "web.example A": found([A1], 1) });
  await world.lookup("web.example");
  world.answers["web.example A"] = world.answers["web.example AAAA"] = failed(
    "SERVFAIL from ns",
  );
  for (let i = 0; i < 5; i++) {
    world.pass(2_000);
    await world.lookup("web.example");
    await world.settled();
  }
  assertEquals(world.changes, [
    { name: "web.example", error: "SERVFAIL from ns" },
  ]);
  world.answers["web.example A"] = found([A1], 1);
  world.pass(2_000);
  await world.lookup("web.example");
  await world.settled();
  assertEquals(world.changes.slice(1), [
    { name: "web.example", error: undefined },
  ]);
});

Deno.test("a name that does not exist is final, and remembered as long as the zone says", async () => {
  const world = new World({}, { missing: { kind: "no-name", ttl: 5 } });
  for (let i = 0; i < 10; i++) {
    await assertRejects(
      async () => await world.lookup("no.example"),
      NoSuchName,
    );
  }
  assertStrictEquals(world.asked.length, 2, "one question for each family");
  world.pass(6_000);
  world.answers["no.example A"] = found([A1], 5);
  assertEquals(await world.lookup("no.example"), [A1]);
});

Deno.test("a name that stops to exist is not held", async () => {
  const world = new World({ "web.example A": found([A1], 1) });
  await world.lookup("web.example");
  world.answers["web.example A"] = { kind: "no-name", ttl: 1 };
  world.pass(2_000);
  await assertRejects(
    async () => await world.lookup("web.example"),
    NoSuchName,
  );
});

Deno.test("addresses hold when the resolver cannot tell a missing name from a failure", async () => {
  const world = new World({ "web.example A": found([A1], 1) }, {
    missing: { kind: "unknown" },
  });
  assertEquals(await world.lookup("web.example"), [A1]);
  delete world.answers["web.example A"];
  world.pass(2_000);
  assertEquals(await world.lookup("web.example"), [A1]);
  await assertRejects(
    async () => await world.lookup("no.example"),
    NoSuchName,
  );
});

Deno.test("one family is enough when nobody answers the other", async () => {
  for (
    const [there, silent, address] of [
      ["A", "AAAA", A1],
      ["AAAA", "A", V6],
    ] as const
  ) {
    const world = new World({
      [`web.example ${there}`]: found([address], 1),
      [`web.example ${silent}`]: silence(),
    });
    const started = performance.now();
    assertEquals(await world.lookup("web.example"), [address]);
    assert(
      performance.now() - started < 450,
      "waits for the other only briefly",
    );
    await world.settled();
    // and the silent one does not keep the other from being asked again
    world.answers[`web.example ${there}`] = found([`${address}0`], 1);
    world.pass(2_000);
    assertEquals(await world.lookup("web.example"), [`${address}0`]);
    world.release();
  }
});

Deno.test("all addresses get their turn to be the first, families alternate", async () => {
  const world = new World({
    "web.example A": found([A1, A2, A3], 60),
    "two.example A": found([A1], 60),
    "two.example AAAA": found([V6], 60),
  });
  const firsts = new Map<string, number>();
  for (let i = 0; i < 30; i++) {
    const [first] = await world.lookup("web.example");
    firsts.set(first!, (firsts.get(first!) ?? 0) + 1);
  }
  assertEquals([...firsts.values()], [10, 10, 10]);
  assertEquals(await world.lookup("two.example"), [V6, A1]);
});

Deno.test("search domains and ndots hold, and a dot at the end ends them", async () => {
  const world = new World({ "db.svc.cluster.local A": found([A1], 60) }, {
    search: ["ns.svc.cluster.local", "svc.cluster.local"],
    ndots: 5,
  });
  assertEquals(await world.lookup("db"), [A1]);
  assertEquals(world.asked, [
    "db.ns.svc.cluster.local AAAA",
    "db.ns.svc.cluster.local A",
    "db.svc.cluster.local AAAA",
    "db.svc.cluster.local A",
  ]);
  assertEquals(await world.lookup("db.svc.cluster.local."), [A1]);
  assertStrictEquals(world.count("db.svc.cluster.local A"), 2);
});

Deno.test("/etc/hosts and localhost need no name server", async () => {
  const world = new World({}, { hosts: new Map([["db", [A1, V6]]]) });
  assertEquals(await world.lookup("DB"), [V6, A1]);
  assertEquals(await world.lookup("localhost"), ["::1", "127.0.0.1"]);
  assertStrictEquals(world.asked.length, 0);
});

Deno.test("the system is asked once for a name that no name server knows, when /etc/hosts may not be read", async () => {
  let asked = 0;
  const world = new World({}, {
    hosts: undefined,
    systemLookup: (name) => {
      asked++;
      return Promise.resolve(name === "db" ? [A1] : []);
    },
  });
  assertEquals(await world.lookup("db"), [A1]);
  await assertRejects(async () => await world.lookup("nothing"), NoSuchName);
  assertStrictEquals(asked, 2);
});

Deno.test("addresses that were known before serve when nobody answers, and only then", async () => {
  const world = new World({ "web.example A": found([A2], 60) });
  world.names.recall("web.example", [A1]);
  assertEquals(await world.lookup("web.example"), [A2]);
  const other = new World({}, { missing: failed("SERVFAIL from ns") });
  other.names.recall("web.example", [A1]);
  assertEquals(await other.lookup("web.example"), [A1]);
});

Deno.test("configure() has names asked for again, and what is known holds meanwhile", async () => {
  const world = new World({ "web.example A": found([A1], 60) });
  await world.lookup("web.example");
  world.names.configure({
    client: { query: () => Promise.resolve(failed("no answer")) },
    search: { search: [], ndots: 1 },
    hosts: new Map(),
  });
  assertEquals(await world.lookup("web.example"), [A1]);
  await world.settled();
  assertEquals(world.changes, [{ name: "web.example", error: "no answer" }]);
});

Deno.test("60 names that nobody answers hold up no other name", async () => {
  const world = new World({ "web.example A": found([A1], 60) });
  const dead = Array.from({ length: 60 }, (_, i) => {
    const name = `dead${i}.example`;
    world.answers[`${name} A`] = world.answers[`${name} AAAA`] = silence();
    return Promise.resolve(world.lookup(name)).catch((error: Error) =>
      error.message
    );
  });
  assertEquals(await world.lookup("web.example"), [A1]);
  world.release();
  for (const message of await Promise.all(dead)) {
    assertMatch(String(message), /no name server has answered for dead/);
  }
});

/** Name servers, and a clock, that a test moves. */
class World {
  readonly names: Names;
  readonly asked: string[] = [];
  readonly changes: Pick<NameChange, "name" | "error">[] = [];
  readonly counts: Partial<Record<NameEvent, number>> = {};
  readonly #errors = new Map<string, string | undefined>();
  answers: Record<string, Answer | Silence>;
  #now = 0;
  #released: (() => void)[] = [];
  #open = 0;

  constructor(
    answers: Record<string, Answer | Silence>,
    { missing = { kind: "none", ttl: 5 }, search = [], ndots = 1, ...options }:
      & Partial<Omit<NamesOptions, "search">>
      & { missing?: Answer; search?: string[]; ndots?: number } = {},
  ) {
    this.answers = answers;
    const client: DnsClient = {
      query: async (name, type) => {
        const key = `${name} ${type as RecordType}`;
        this.asked.push(key);
        const answer = this.answers[key] ?? missing;
        if (answer.kind !== "silence") return answer;
        this.#open++;
        await new Promise<void>((resolve) => this.#released.push(resolve));
        this.#open--;
        return { kind: "failed", error: "no answer from ns" };
      },
    };
    this.names = new Names({
      client,
      search: { search, ndots },
      hosts: new Map(),
      systemLookup: () => Promise.reject(new Error("it must not be asked")),
      hold: 3_600_000,
      changed: ({ name, error }) => {
        if (error !== this.#errors.get(name)) {
          this.changes.push({ name, error });
        }
        this.#errors.set(name, error);
      },
      count: (event) => this.counts[event] = (this.counts[event] ?? 0) + 1,
      now: () => this.#now,
      ...options,
    });
  }

  async lookup(name: string): Promise<readonly string[]> {
    return await this.names.lookup(name);
  }

  count(question: string): number {
    return this.asked.filter((asked) => asked === question).length;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Questions that nobody answers end now. */
  release(): void {
    for (const release of this.#released) release();
    this.#released = [];
  }

  /** Waits until no look-up is under way. */
  async settled(): Promise<void> {
    await this.names.idle();
  }
}

interface Silence {
  readonly kind: "silence";
}

function silence(): Silence {
  return { kind: "silence" };
}

function failed(error: string): Answer {
  return { kind: "failed", error };
}

function found(addresses: readonly string[], ttl: number): Answer {
  return { kind: "found", addresses, services: [], additional: new Map(), ttl };
}
