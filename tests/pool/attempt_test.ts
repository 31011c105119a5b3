import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { FakeTime } from "../support/fake_time.ts";
import { CELL } from "../../src/pool/memory.ts";
import { REFUSED, Workers } from "../support/pool.ts";

const ABC = ["a:1", "b:1", "c:1"];

Deno.test("round robin takes turns in all workers together", () => {
  const workers = new Workers({ members: ABC });
  const remotes = [0, 1, 1, 0, 1, 0].map((worker) => workers.next(worker));
  assertEquals(remotes, [...ABC, ...ABC]);
});

Deno.test("round robin leaves the shares of the others equal when one is down", () => {
  const workers = new Workers({ members: ABC });
  workers.states[0]?.drain(1, true);
  const counts = new Map<string | undefined, number>();
  for (let i = 0; i < 100; i++) {
    const remote = workers.next(i % 2);
    counts.set(remote, (counts.get(remote) ?? 0) + 1);
  }
  assertEquals([...counts], [["a:1", 50], ["c:1", 50]]);
});

Deno.test("least connections counts those of all workers, for their weight", () => {
  const workers = new Workers({
    members: ["a:1", { remote: "b:1", weight: 3 }],
    policy: "least-connections",
  });
  const held = Array.from({ length: 8 }, (_, i) => {
    const attempt = workers.attempt(i % 2);
    return { remote: attempt.next()?.remote, held: attempt.connected() };
  });
  const count = (remote: string) =>
    held.filter((one) => one.remote === remote).length;
  assertEquals([count("a:1"), count("b:1")], [2, 6]);
  for (const one of held) if (one.remote === "b:1") one.held?.release();
  assertEquals(workers.next(0), "b:1");
  assertEquals(workers.next(1), "b:1");
});

Deno.test("least connections takes turns among those that are idle", () => {
  const workers = new Workers({ members: ABC, policy: "least-connections" });
  assertEquals(
    new Set(Array.from({ length: 6 }, () => workers.next())),
    new Set(ABC),
  );
});

Deno.test("the hash of a key is for the same members in all workers, in the same order", () => {
  const options = { members: ABC, policy: "hash", passive: false };
  const workers = new Workers(options);
  const orders = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const [one, two] = [0, 1].map((worker) => {
      const attempt = workers.attempt(worker, `key ${i}`);
      return ABC.map(() => {
        const remote = attempt.next()?.remote;
        attempt.failed(REFUSED);
        return remote;
      }).join();
    });
    assertStrictEquals(one, two);
    orders.add(String(one));
  }
  assertEquals(orders.size, 6);
});

Deno.test("a member that failed is not tried again before all others were", () => {
  for (const policy of ["round-robin", "least-connections", "hash"]) {
    const workers = new Workers({ members: ABC, policy });
    const attempt = workers.attempt(0, "key");
    for (let pass = 0; pass < 2; pass++) {
      const remotes = ABC.map((_, index) => {
        const remote = attempt.next()?.remote;
        // whether another is there that was not tried: no pause, then
        assertEquals(attempt.failed(REFUSED), index < 2, policy);
        return remote;
      });
      assertEquals(new Set(remotes), new Set(ABC), policy);
    }
  }
});

Deno.test("failures in a row, in whichever worker, make a member down", () => {
  const workers = new Workers({ members: ["a:1", "b:1"], policy: "hash" });
  const fail = (worker: number) => {
    const attempt = workers.attempt(worker, key);
    assertEquals(attempt.next()?.remote, "a:1");
    attempt.failed(REFUSED);
  };
  const key = keyFor(workers, "a:1");
  fail(0);
  fail(1);
  // a byte in between: they are not in a row
  const good = workers.attempt(0, key);
  good.next();
  good.connected()?.answered();
  fail(0);
  fail(1);
  assertEquals(workers.next(0, key), "a:1");
  fail(1);
  assertEquals(workers.next(0, key), "b:1");
  assertEquals(workers.next(1, key), "b:1");
  assertEquals(workers.log.all.length, 1);
  assertMatch(
    workers.log.all[0] ?? "",
    /^Member a:1 of pool p is down for \d(?:\.\d)? seconds: refused \(3 failures\)$/,
  );
});

Deno.test("passive: false makes no member down", () => {
  const workers = new Workers({ members: ["a:1"], passive: false });
  for (let i = 0; i < 10; i++) {
    const attempt = workers.attempt();
    attempt.next();
    attempt.failed(REFUSED);
  }
  assertEquals(workers.states[0]?.isOpen(0), true);
  assertEquals(workers.log.all, []);
});

Deno.test("after the back-off one connection tries a member, and its end decides", () => {
  using time = new FakeTime();
  const workers = new Workers({
    members: ["a:1", "b:1"],
    policy: "hash",
    passive: { failures: 1, backoff: 10, maxBackoff: 35 },
  });
  const key = keyFor(workers, "a:1");
  const [state] = workers.states;
  assert(state !== undefined);
  const first = workers.attempt(0, key);
  first.next();
  first.failed(REFUSED);

  for (const backoff of [10, 20, 35, 35]) {
    assertEquals(state.cells.get(0, CELL.backoff), backoff * 1000);
    time.tick(backoff * 800 - 10);
    assertEquals(workers.next(1, key), "b:1");
    time.tick(backoff * 400 + 20);
    const probe = workers.attempt(0, key);
    assertEquals(probe.next()?.remote, "a:1");
    // nobody else, in no worker
    assertEquals(workers.next(0, key), "b:1");
    assertEquals(workers.next(1, key), "b:1");
    probe.failed(REFUSED);
    assertEquals(workers.next(1, key), "b:1");
  }

  time.tick(50_000);
  const probe = workers.attempt(1, key);
  assertEquals(probe.next()?.remote, "a:1");
  const held = probe.connected();
  assertEquals(workers.next(0, key), "b:1");
  held?.answered();
  held?.release();
  assertEquals(workers.next(0, key), "a:1");
  assertEquals(workers.log.all.length, 2);
  assertEquals(workers.log.all[1], "Member a:1 of pool p is up");
});

Deno.test("a probe that tells nothing leaves the member to the next one", () => {
  using time = new FakeTime();
  const workers = new Workers({
    members: ["a:1", "b:1"],
    policy: "hash",
    passive: { failures: 1 },
  });
  const key = keyFor(workers, "a:1");
  const first = workers.attempt(0, key);
  first.next();
  first.failed(REFUSED);
  time.tick(2000);
  const left = workers.attempt(0, key);
  assertEquals(left.next()?.remote, "a:1");
  left.connected()?.release(); // the client has left
  const lost = workers.attempt(1, key); // its worker dies
  assertEquals(lost.next()?.remote, "a:1");
  assertEquals(workers.next(0, key), "b:1");
  time.tick(60_001);
  assertEquals(workers.next(0, key), "a:1");
});

Deno.test("when all are down, the one whose back-off ends first is tried", () => {
  using time = new FakeTime();
  const workers = new Workers({
    members: ABC,
    passive: { failures: 1, backoff: 100 },
  });
  const order: string[] = [];
  for (const _ of ABC) {
    const attempt = workers.attempt();
    order.push(attempt.next()?.remote ?? "");
    attempt.failed(REFUSED);
    time.tick(45_000); // chance is 20 % of 100 seconds, either way
  }
  time.tick(-90_000);
  const attempt = workers.attempt(1);
  const tried = ABC.map(() => {
    const remote = attempt.next()?.remote;
    assertEquals(attempt.failed(REFUSED), false);
    return remote;
  });
  assertEquals(tried, order);
  // any of them that sends a byte is up
  attempt.next();
  attempt.connected()?.answered();
  assertStrictEquals(workers.next(), order[0]);
});

Deno.test("a member that is drained gets no connection, not even when all others are down", () => {
  const workers = new Workers({
    members: ["a:1", { remote: "b:1", weight: 0 }],
    passive: { failures: 1 },
  });
  const [state, other] = workers.states;
  assertEquals(workers.next(), "a:1");
  const attempt = workers.attempt();
  for (let i = 0; i < 5; i++) {
    assertEquals(attempt.next()?.remote, "a:1");
    attempt.failed(REFUSED);
  }
  state?.drain(0, true);
  assertEquals(workers.next(1), undefined);
  other?.drain(0, false);
  assertEquals(workers.next(0), "a:1");
});

Deno.test("a member that the router may not connect to is left out, and not blamed", () => {
  const workers = new Workers({ members: ["a:1", "b:1"] });
  const attempt = workers.attempt();
  const first = attempt.next()?.remote;
  assertEquals(attempt.leftOut(new Deno.errors.NotCapable()), true);
  for (let i = 0; i < 4; i++) {
    assertNotEquals(attempt.next()?.remote, first);
    attempt.returned();
  }
  attempt.next();
  assertEquals(attempt.leftOut(new Deno.errors.NotCapable()), false);
  assertEquals(attempt.next(), undefined);
  for (const member of [0, 1]) {
    assertEquals(workers.states[0]?.cells.get(member, CELL.failures), 0);
    assertEquals(workers.states[0]?.cells.get(member, CELL.active), 0);
  }
});

Deno.test("checks make a member unusable after fall, and usable after rise of them", () => {
  const workers = new Workers({
    members: ["a:1", "b:1"],
    check: { rise: 2, fall: 3 },
  });
  const [one, two] = workers.states;
  const results = ["x", "x", undefined, "x", "x", "x", "x"];
  results.forEach((failure, i) => (i % 2 ? one : two)?.checked(0, failure));
  assertEquals(one?.isOpen(0), false);
  assertEquals(workers.next(), "b:1");
  assertEquals(workers.next(), "b:1");
  one?.checked(0, undefined);
  one?.checked(0, "x");
  one?.checked(0, undefined);
  assertEquals(two?.isOpen(0), false);
  two?.checked(0, undefined);
  assertEquals(one?.isOpen(0), true);
  assertEquals(workers.log.all, [
    "Member a:1 of pool p is down: x (3 checks)",
    "Member a:1 of pool p is up (2 checks)",
  ]);
});

/** A key that the policy `hash` takes to a member. */
function keyFor(workers: Workers, remote: string): string {
  for (let i = 0;; i++) {
    const key = `key ${i}`;
    if (workers.next(0, key) === remote) return key;
  }
}
