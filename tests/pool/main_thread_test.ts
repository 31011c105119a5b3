import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { Cells } from "../../src/pool/memory.ts";
import { Attempt } from "../../src/pool/attempt.ts";
import { chooser } from "../../src/pool/policies.ts";
import { planPool } from "../../src/pool/checked_options.ts";
import {
  giveBack,
  isPoolReports,
  isSame,
  lend,
  type PoolMemory,
  type PoolReport,
  readPools,
  type SharedPool,
  sharePools,
} from "../../src/pool/main_thread.ts";
import { PoolState } from "../../src/pool/state.ts";
import { Lines, REFUSED } from "../support/pool.ts";

function report(name: string, ...remotes: string[]): PoolReport {
  return {
    name,
    policy: "round-robin",
    members: remotes.map((remote) => ({ remote, weight: 1 })),
  };
}

/** A worker that has been lent the memory of a pool. */
function worker({ report }: SharedPool, lent: PoolMemory): PoolState {
  const plan = planPool(report.name, {
    members: report.members,
    passive: { failures: 1, backoff: 1000 },
    check: { fall: 1 },
  });
  return new PoolState(
    plan,
    new Cells(lent.memory, lent.held),
    new Lines().log,
  );
}

function share(
  reports: PoolReport[],
  before: readonly SharedPool[] = [],
): SharedPool[] {
  const pools = sharePools([reports, structuredClone(reports)], before);
  assert(pools !== undefined);
  return pools;
}

Deno.test("isPoolReports() takes what a worker reports, and nothing else", () => {
  assert(isPoolReports([]));
  assert(isPoolReports([report("a", "b:1"), report("c", "d:1", "e:1")]));
  const member = { remote: "b:1", weight: 1 };
  const bad: unknown[] = [
    undefined,
    {},
    [undefined],
    [report("a")],
    [{ ...report("a", "b:1"), name: 1 }],
    [{ ...report("a", "b:1"), name: "a\nb" }],
    [{ ...report("a", "b:1"), policy: "x".repeat(2000) }],
    [{ ...report("a"), members: [{ ...member, weight: -1 }] }],
    [{ ...report("a"), members: [{ ...member, weight: 0.5 }] }],
    [{ ...report("a"), members: [{ ...member, weight: 257 }] }],
    [{ ...report("a"), members: [{ ...member, remote: 1 }] }],
    [{ ...report("a"), members: Array(1001).fill(member) }],
    Array(1001).fill(report("a", "b:1")),
  ];
  for (const value of bad) assert(!isPoolReports(value), Deno.inspect(value));
});

Deno.test("sharePools() makes no pools when workers disagree", () => {
  const one = [report("a", "b:1"), report("c", "d:1")];
  for (
    const other of [
      [],
      [report("a", "b:1")],
      [report("c", "d:1"), report("a", "b:1")],
      [report("a", "b:1"), report("c", "d:2")],
    ]
  ) {
    assertEquals(sharePools([one, one, other], []), undefined);
    assertEquals(isSame(other, share(one)), false);
  }
  assertEquals(isSame(one, share(one)), true);
});

Deno.test("sharePools() keeps the memory of a pool that is the same", () => {
  const before = share([report("a", "b:1"), report("c", "d:1")]);
  const [a, c] = share([report("a", "b:1"), report("c", "d:2")], before);
  assertStrictEquals(a, before[0]);
  assertNotEquals(c?.memory, before[1]?.memory);
});

Deno.test("sharePools() takes over what is known of a member, but not its connections", () => {
  const before = share([report("p", "a:1", "b:1", "c:1", "d:1")]);
  const [old] = before;
  assert(old !== undefined);
  const state = worker(old, lend(old));
  const attempt = new Attempt(state, chooser(state));
  attempt.next();
  attempt.failed(REFUSED); // a:1
  state.checked(1, "bad"); // b:1
  state.drain(2, true); // c:1
  const last = new Attempt(state, chooser(state));
  last.next();
  last.connected(); // d:1

  const [pool] = share(
    [report("p", "e:1", "d:1", "c:1", "b:1", "a:1")],
    before,
  );
  assert(pool !== undefined);
  const [status] = readPools([pool]);
  const shown = status?.members.map(
    ({ remote, state, active, picks, failed }) =>
      [remote, state, active, picks, failed].join(" "),
  );
  assertEquals(shown, [
    "e:1 up 0 0 0",
    "d:1 up 0 1 0",
    "c:1 draining 0 0 0",
    "b:1 checked-down 0 0 0",
    "a:1 down 0 1 1",
  ]);
  // it is left alone for as long as it was to be
  const wait = worker(pool, lend(pool)).wait(4);
  assert(wait > 790_000 && wait <= 1_200_000, String(wait));
});

Deno.test("giveBack() returns the connections of a worker that has died, and no others", () => {
  const [pool] = share([report("p", "a:1")]);
  assert(pool !== undefined);
  const lent = [lend(pool), lend(pool)] as const;
  const held = lent.map((memory) => {
    const state = worker(pool, memory);
    const choose = chooser(state);
    return Array.from({ length: 3 }, () => {
      const attempt = new Attempt(state, choose);
      attempt.next();
      return attempt.connected();
    });
  });
  const active = () => readPools([pool])[0]?.members[0]?.active;
  assertEquals(active(), 6);
  held[0]?.[0]?.release();
  assertEquals(active(), 5);
  giveBack(lent[0]);
  assertEquals(active(), 3);
  giveBack(lent[0]);
  for (const one of held[1] ?? []) one?.release();
  assertEquals(active(), 0);
});

Deno.test("readPools() tells what each member does and has done", () => {
  const weights = [1, 3, 0];
  const members = weights.map((weight, i) => ({
    remote: `a:${i + 1}`,
    weight,
  }));
  const [pool] = share([{ name: "p", policy: "round-robin", members }]);
  assert(pool !== undefined);
  const state = worker(pool, lend(pool));
  const now = Math.floor(Date.now() / 1000);
  const attempt = new Attempt(state, chooser(state));
  attempt.next(); // weight 3
  attempt.connected();
  const failed = new Attempt(state, chooser(state));
  failed.next(); // weight 1
  failed.failed(REFUSED);
  const [status] = readPools([pool]);
  const [one, two, three] = status?.members ?? [];
  assert((one?.changed ?? 0) >= now);
  assertEquals({ ...one, changed: 0 }, {
    ...{ remote: "a:1", weight: 1, state: "down", active: 0 },
    ...{ picks: 1, failed: 1, changed: 0 },
  });
  assertEquals(two, {
    ...{ remote: "a:2", weight: 3, state: "up", active: 1 },
    ...{ picks: 1, failed: 0, changed: 0 },
  });
  assertEquals(three?.state, "draining");
});
