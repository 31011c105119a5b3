import { assertEquals } from "@std/assert";
import { Backoff } from "../../src/lib/backoff.ts";

Deno.test("failed() doubles the pause with each failure, up to 30 seconds", () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: 12 }, (_, i) => backoff.failed(i));
  assertEquals(
    pauses,
    [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000],
  );
});

Deno.test("failed() begins anew when there was no failure for a minute", () => {
  const backoff = new Backoff();
  assertEquals([0, 1, 2].map((now) => backoff.failed(now)), [0, 100, 200]);
  assertEquals(backoff.failed(60_000), 400, "less than a minute");
  assertEquals(backoff.failed(130_000), 0);
  assertEquals(backoff.failed(130_001), 100);
});

Deno.test("failed() does not take its own pause for a quiet time", () => {
  const backoff = new Backoff();
  let now = 0;
  let pause = 0;
  for (let i = 0; i < 20; i++) {
    pause = backoff.failed(now);
    // it fails again after 40 seconds of loading
    now += pause + 40_000;
  }
  assertEquals(pause, 30_000);
});
