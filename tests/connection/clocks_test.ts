import { assert, assertEquals } from "@std/assert";
import { Clocks, type Timed } from "../../src/connection/clocks.ts";
import { Deadlines } from "../../src/lib/deadlines.ts";

/** What a clock says, and when. */
interface Verdict {
  readonly what: string;
  readonly at: number;
}

/** A connection that is nothing but its clocks. */
class Timer implements Timed {
  progress = 0;
  sent = 0;
  forwarded = 0;
  isSending = false;
  isForwarding = false;
  readonly said: Verdict[] = [];
  readonly clocks: Clocks;
  #next = Promise.withResolvers<Verdict>();

  constructor(deadlines = new Deadlines()) {
    this.clocks = new Clocks(this, deadlines);
  }

  /** The next that a clock will say. */
  get next(): Promise<Verdict> {
    return this.#next.promise;
  }

  expire(): void {
    this.#say("expire");
  }

  end(reason: string): void {
    this.clocks.clear();
    this.#say(reason);
  }

  #say(what: string): void {
    const verdict = { what, at: performance.now() };
    this.said.push(verdict);
    this.#next.resolve(verdict);
    this.#next = Promise.withResolvers();
  }
}

/** Waits until a deadline has passed that was set after all that matter. */
async function pass(deadlines: Deadlines, milliseconds: number): Promise<void> {
  const timer = new Timer(deadlines);
  timer.clocks.start(milliseconds);
  await timer.next;
}

Deno.test("start() expires once, and not before its time", async () => {
  const deadlines = new Deadlines();
  const timer = new Timer(deadlines);
  const started = performance.now();
  timer.clocks.start(30);
  const { what, at } = await timer.next;
  assertEquals(what, "expire");
  assert(at - started >= 30);
  await pass(deadlines, 100);
  assertEquals(timer.said.length, 1);
});

Deno.test("a stopped clock does not expire, and those that last go on", async () => {
  const deadlines = new Deadlines();
  const stopped = new Timer(deadlines);
  stopped.clocks.start(10);
  stopped.clocks.stop();
  const limited = new Timer(deadlines);
  limited.clocks.limitDuration(performance.now() + 60);
  limited.clocks.start(10);
  limited.clocks.stop();
  assertEquals((await limited.next).what, "max-duration");
  assertEquals(stopped.said, []);
});

Deno.test("watch() goes on as long as there is progress, and until its end", async () => {
  const timer = new Timer();
  const started = performance.now();
  timer.clocks.watch(40, Infinity);
  timer.progress++;
  const { at } = await timer.next;
  assert(at - started >= 80, `${at - started}`);
  const late = new Timer();
  const until = performance.now() + 10;
  late.clocks.watch(20, until);
  late.progress++;
  assert((await late.next).at >= until);
});

Deno.test("limitSilence() ends what is silent for the time, and at most a quarter longer", async () => {
  // a busy machine may be late for it: the best of some tries counts
  let ratio = Infinity;
  for (let attempt = 0; attempt < 9 && ratio > 1.25; attempt++) {
    const timer = new Timer();
    timer.clocks.limitSilence(400);
    const said = timer.next;
    let moved = performance.now();
    const ticks = setInterval(() => {
      timer.progress++;
      moved = performance.now();
    }, 5);
    await pass(new Deadlines(), 600 + 17 * attempt);
    clearInterval(ticks);
    const { what, at } = await said;
    assertEquals(what, "idle-timeout");
    // as long as it moves it is not silent
    assert(at - moved >= 400, `${at - moved}`);
    ratio = Math.min(ratio, (at - moved) / 400);
  }
  assert(ratio <= 1.25, `${ratio}`);
});

Deno.test("limitSilence() does not end what moves a byte within each such time", async () => {
  const timer = new Timer();
  timer.clocks.limitSilence(1000);
  const started = performance.now();
  let moved = started;
  let longest = 0;
  const ticks = setInterval(() => {
    timer.progress++;
    longest = Math.max(longest, performance.now() - moved);
    moved = performance.now();
  }, 300);
  await pass(new Deadlines(), 2500);
  clearInterval(ticks);
  // a machine that was busy for so long has made it silent
  assert(timer.said.length === 0 || longest >= 1000, `${longest}`);
  timer.clocks.clear();
});

for (
  const [what, taken, waits] of [
    ["client", "sent", "isSending"],
    ["remote", "forwarded", "isForwarding"],
  ] as const
) {
  Deno.test(`limitSilence() ends what moves when bytes wait for the ${what}, which takes none`, async () => {
    const timer = new Timer();
    timer.clocks.limitSilence(200);
    const started = performance.now();
    let stalled = Infinity;
    const ticks = setInterval(() => {
      timer.progress++;
      // first it takes some, then nothing waits, then it takes none
      const passed = performance.now() - started;
      timer[waits] = passed < 400 || passed > 800;
      if (passed < 400) timer[taken]++;
      if (passed > 800) stalled = Math.min(stalled, performance.now());
    }, 5);
    const { what: said, at } = await timer.next;
    clearInterval(ticks);
    assertEquals(said, "idle-timeout");
    assert(at - started > 800 && at - stalled < 5000, `${at - started}`);
    assert(at - stalled >= 200 * 7 / 8, `${at - stalled}`);
  });
}

Deno.test("limitSilence() can be taken back, and given anew", async () => {
  const deadlines = new Deadlines();
  const timer = new Timer(deadlines);
  timer.clocks.limitSilence(20);
  timer.clocks.limitSilence(0);
  await pass(deadlines, 100);
  assertEquals(timer.said, []);
  const again = performance.now();
  timer.clocks.limitSilence(30);
  const { what, at } = await timer.next;
  assertEquals(what, "idle-timeout");
  assert(at - again >= 30);
});

Deno.test("limitDuration() ends what moves all the time, when its time has come", async () => {
  for (const milliseconds of [1, 50, 1200, 2100]) {
    const timer = new Timer();
    const started = performance.now();
    timer.clocks.limitDuration(started + milliseconds);
    const ticks = setInterval(() => timer.progress++, 5);
    const { what, at } = await timer.next;
    clearInterval(ticks);
    assertEquals(what, "max-duration");
    assert(at - started >= milliseconds, `${at - started}`);
  }
  const timer = new Timer();
  timer.clocks.limitDuration(performance.now() - 1000);
  assertEquals((await timer.next).what, "max-duration", "it has come before");
});

Deno.test("limitDuration() keeps the clock of the stage that is running", async () => {
  const timer = new Timer();
  const started = performance.now();
  timer.clocks.start(40);
  timer.clocks.limitDuration(started + 2000);
  timer.clocks.limitSilence(5000);
  const first = await timer.next;
  assertEquals(first.what, "expire");
  assert(first.at - started >= 40 && first.at - started < 2000);
  const second = await timer.next;
  assertEquals(second.what, "max-duration");
  assert(second.at - started >= 2000);
});

Deno.test("the clock that is due first wins, in whatever order they are set", async () => {
  const orders: ((timer: Timer) => void)[] = [
    (timer) => timer.clocks.start(60_000),
    (timer) => timer.clocks.limitSilence(30_000),
    (timer) => timer.clocks.limitDuration(performance.now() + 20),
    (timer) => timer.clocks.watch(60_000, Infinity),
  ];
  for (let first = 0; first < orders.length; first++) {
    const timer = new Timer();
    for (let i = 0; i < orders.length; i++) {
      orders[(first + i) % orders.length]?.(timer);
    }
    assertEquals((await timer.next).what, "max-duration");
  }
});

Deno.test("clear() stops all clocks", async () => {
  const deadlines = new Deadlines();
  const timer = new Timer(deadlines);
  timer.clocks.start(10);
  timer.clocks.limitSilence(10);
  timer.clocks.limitDuration(performance.now() + 10);
  timer.clocks.clear();
  await pass(deadlines, 60);
  assertEquals(timer.said, []);
  assertEquals(timer.clocks.deadline, undefined);
});
