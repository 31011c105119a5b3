import { assertEquals } from "@std/assert";
import { heartbeat, Watchdog } from "../../src/main/watchdog.ts";

/** A watchdog, and workers that beat when they are told to. */
function start(
  timeout: number,
  ...names: string[]
): {
  watchdog: Watchdog<Worker>;
  workers: Worker[];
  events: string[];
} {
  const workers = names.map((name) => ({ name, share: { beats: 0 } }));
  const events: string[] = [];
  const watchdog = new Watchdog<Worker>(timeout, () => workers, {
    stuck: ({ name }) => events.push(`${name} stuck`),
    awake: ({ name }, silence) => events.push(`${name} awake ${silence}`),
  });
  return { watchdog, workers, events };
}

interface Worker {
  name: string;
  share: { beats: number };
}

Deno.test("heartbeat() is a fifth of the time, a second at most", () => {
  assertEquals([0, 500, 5000, 60_000].map(heartbeat), [0, 100, 1000, 1000]);
});

Deno.test("look() tells once that a worker is stuck when it was silent for the time", () => {
  const { watchdog, workers, events } = start(5000, "a", "b");
  for (let now = 0; now <= 20_000; now += 1000) {
    watchdog.look(now);
    assertEquals(events, now < 5000 ? [] : ["b stuck"], String(now));
    if (workers[0]) workers[0].share.beats++;
  }
});

Deno.test("look() says nothing of a worker that is late but comes in time", () => {
  const { watchdog, workers: [worker], events } = start(5000, "a");
  for (let now = 0; now <= 60_000; now += 1000) {
    watchdog.look(now);
    if (now % 4000 === 0 && worker) worker.share.beats++;
  }
  assertEquals(events, []);
});

Deno.test("look() tells that a stuck worker lives again, and notices when it gets stuck once more", () => {
  const { watchdog, workers: [worker], events } = start(5000, "a");
  for (let now = 0; now <= 20_000; now += 1000) {
    if (now === 8000 && worker) worker.share.beats++;
    watchdog.look(now);
  }
  assertEquals(events, ["a stuck", "a awake 7000", "a stuck"]);
});

Deno.test("look() does not count the time in which it was suspended itself", () => {
  const { watchdog, workers: [worker], events } = start(5000, "a");
  watchdog.look(0);
  watchdog.look(1000);
  // a laptop that slept for a day: the worker did, too
  watchdog.look(86_400_000);
  watchdog.look(86_401_000);
  if (worker) worker.share.beats++;
  watchdog.look(86_402_000);
  assertEquals(events, []);
  for (let i = 3; i <= 7; i++) watchdog.look(86_400_000 + i * 1000);
  assertEquals(events, ["a stuck"]);
});

Deno.test("look() forgets workers that are gone, and gives new ones their time", () => {
  const { watchdog, workers, events } = start(5000, "a");
  for (let now = 0; now <= 4000; now += 1000) watchdog.look(now);
  workers.splice(0, 1, { name: "b", share: { beats: 7 } });
  for (let now = 5000; now <= 9000; now += 1000) watchdog.look(now);
  assertEquals(events, []);
  watchdog.look(10_000);
  assertEquals(events, ["b stuck"]);
});

Deno.test("Watchdog does nothing when the time is 0", () => {
  const { watchdog, events } = start(0, "a");
  watchdog.start();
  watchdog.stop();
  assertEquals(events, []);
});
