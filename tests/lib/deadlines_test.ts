import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Deadlines, type Expiring } from "../../src/lib/deadlines.ts";

/** Something whose deadline passes, and that tells when. */
class Owner implements Expiring {
  deadline: Expiring["deadline"];
  readonly expired: Promise<number>;
  expirations = 0;
  readonly #onExpire: (owner: Owner) => void;
  readonly #resolve: (now: number) => void;

  constructor(onExpire: (owner: Owner) => void = () => {}) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.expired = promise;
    this.#resolve = resolve;
    this.#onExpire = onExpire;
  }

  expire(): void {
    assertEquals(this.deadline, undefined, "it is cleared by then");
    this.expirations++;
    this.#resolve(performance.now());
    this.#onExpire(this);
  }
}

Deno.test("Deadlines expires an owner once, and not before its time, when it is due", async () => {
  const deadlines = new Deadlines();
  const durations = [1, 5, 20.5, 33, 50, 50, 80, 1001];
  const owners = durations.map(() => new Owner());
  const started = performance.now();
  for (const [index, owner] of owners.entries()) {
    deadlines.set(owner, durations[index] ?? 0);
  }
  const times = await Promise.all(owners.map((owner) => owner.expired));
  for (const [index, time] of times.entries()) {
    assert(time - started >= (durations[index] ?? 0), `${time - started}`);
  }
  assertEquals(owners.map((owner) => owner.expirations), [
    ...owners.map(() => 1),
  ]);
});

Deno.test("Deadlines expires owners in the order of their setting when they wait equally long", async () => {
  const deadlines = new Deadlines();
  const order: number[] = [];
  const owners = Array.from(
    { length: 100 },
    (_, index) => new Owner(() => order.push(index)),
  );
  for (const owner of owners) deadlines.set(owner, 20);
  await Promise.all(owners.map((owner) => owner.expired));
  assertEquals(order, owners.map((_, index) => index));
});

Deno.test("Deadlines expires the sooner one first when it was set last", async () => {
  const deadlines = new Deadlines();
  const late = new Owner();
  const soon = new Owner();
  deadlines.set(late, 60_000);
  deadlines.set(soon, 10);
  await soon.expired;
  assertEquals(late.expirations, 0);
  assertNotEquals(late.deadline, undefined);
  // the timer that was armed for it runs to its end, so give it a short one
  deadlines.set(late, 1);
  await late.expired;
});

Deno.test("Deadlines does not expire an owner when it was cleared", async () => {
  const deadlines = new Deadlines();
  const cleared = new Owner();
  const before = new Owner();
  const after = new Owner();
  deadlines.set(before, 20);
  deadlines.set(cleared, 20);
  deadlines.set(after, 20);
  deadlines.clear(cleared);
  deadlines.clear(cleared); // nothing happens
  assertEquals(cleared.deadline, undefined);
  await Promise.all([before.expired, after.expired]);
  assertEquals(cleared.expirations, 0);
  deadlines.clear(after); // neither after it has passed
});

Deno.test("Deadlines does not expire an owner when another clears it in expire()", async () => {
  const deadlines = new Deadlines();
  const second = new Owner();
  const first = new Owner(() => deadlines.clear(second));
  const third = new Owner();
  for (const owner of [first, second, third]) deadlines.set(owner, 10);
  await third.expired;
  assertEquals(second.expirations, 0);
});

Deno.test("Deadlines takes the new time when a deadline is set again", async () => {
  const deadlines = new Deadlines();
  const started = performance.now();
  const later = new Owner();
  deadlines.set(later, 10);
  deadlines.set(later, 120);
  const sooner = new Owner();
  deadlines.set(sooner, 60_000);
  deadlines.set(sooner, 30);
  assert(await sooner.expired - started >= 30);
  assert(await later.expired - started >= 120);
  assertEquals([sooner.expirations, later.expirations], [1, 1]);
});

Deno.test("Deadlines moves a deadline on when it is set again and again", async () => {
  const deadlines = new Deadlines();
  const owner = new Owner();
  let moved = performance.now();
  const ticks = new Owner((self) => {
    // a slow machine may be late for it
    if (self.expirations === 5 || owner.expirations > 0) return;
    moved = performance.now();
    deadlines.set(owner, 50);
    deadlines.set(self, 20);
  });
  deadlines.set(owner, 50);
  deadlines.set(ticks, 20);
  assert(await owner.expired - moved >= 50);
  assertEquals(owner.expirations, 1);
  await ticks.expired;
});

Deno.test("Deadlines serves an owner again when it sets its deadline in expire()", async () => {
  const deadlines = new Deadlines();
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = performance.now();
  const owner = new Owner((self) => {
    if (self.expirations === 3) return resolve();
    // another duration each time
    deadlines.set(self, 10 * self.expirations);
  });
  deadlines.set(owner, 10);
  await promise;
  assert(performance.now() - started >= 40);
});

Deno.test("Deadlines counts from the time it is given", async () => {
  const deadlines = new Deadlines();
  const owner = new Owner();
  const started = performance.now();
  deadlines.set(owner, 1000, started - 960);
  assert(await owner.expired - started >= 40);
  const overdue = new Owner();
  deadlines.set(overdue, 10, performance.now() - 1000);
  await overdue.expired;
});
