import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { isReport } from "../../src/stats/check_report.ts";
import {
  MAX_NAMES,
  OTHER,
  type RemoteReport,
  type Report,
  Statistics,
} from "../../src/stats/statistics.ts";
import { Totals } from "../../src/stats/totals.ts";

/** What a worker reports that has counted nothing. */
function nothing(): Report {
  return new Statistics(new Set()).collect(0);
}

Deno.test("Statistics.collect() gives what was counted since the last time", () => {
  const statistics = new Statistics(new Set());
  statistics.hit("web");
  statistics.hit(undefined);
  statistics.failed("a:1", "connect-failed");
  const report = statistics.collect(0.5);
  assert(isReport(report));
  assertEquals(report.lag, 0.5);
  assertEquals(report.routes.map(({ name, hits }) => [name, hits]), [
    ["web", 1],
    ["(none)", 1],
  ]);
  assertEquals(report.remotes, [
    {
      name: "a:1",
      connections: 0,
      connectSeconds: 0,
      failures: [1, 0, 0, 0],
      open: 0,
    },
  ]);
  assertEquals(statistics.collect(0).routes, []);
});

Deno.test("Statistics keeps as many names as it may, and a report has no more", () => {
  const statistics = new Statistics(new Set());
  for (let at = 0; at < MAX_NAMES + 500; at++) statistics.hit(`r${at}`);
  const report = statistics.collect(0);
  assert(isReport(report));
  assertEquals(report.routes.length, MAX_NAMES + 1);
  assertEquals(report.routes.find(({ name }) => name === OTHER)?.hits, 500);
});

Deno.test("isReport() refuses what is no report, or would count backwards", () => {
  const good = nothing();
  assert(isReport(structuredClone(good)));
  const remote: RemoteReport = {
    name: "a:1",
    connections: 1,
    connectSeconds: 1,
    failures: [0, 0, 0, 0],
    open: 1,
  };
  assert(isReport({ ...good, remotes: [remote] }));
  const { decision } = good.histograms;
  const bad: unknown[] = [
    undefined,
    null,
    "report",
    {},
    { ...good, sent: -1 },
    { ...good, received: NaN },
    { ...good, lag: Infinity },
    { ...good, heapUsed: "1" },
    { ...good, histograms: { ...good.histograms, total: undefined } },
    {
      ...good,
      histograms: {
        ...good.histograms,
        decision: { ...decision, counts: [1] },
      },
    },
    {
      ...good,
      histograms: { ...good.histograms, decision: { ...decision, sum: -1 } },
    },
    { ...good, routes: {} },
    { ...good, routes: [null] },
    { ...good, remotes: [{ ...remote, name: 1 }] },
    { ...good, remotes: [{ ...remote, name: "x".repeat(513) }] },
    { ...good, remotes: [{ ...remote, failures: [1] }] },
    { ...good, remotes: [{ ...remote, open: -1 }] },
    { ...good, remotes: Array.from({ length: MAX_NAMES + 2 }, () => remote) },
  ];
  for (const value of bad) {
    assertEquals(isReport(value), false, Deno.inspect(value));
  }
});

Deno.test("Totals.connections() goes on where 32 bits end", () => {
  const totals = new Totals();
  assertEquals(totals.connections(5), 5);
  assertEquals(totals.connections(2 ** 31 - 1), 2 ** 31 - 1);
  assertStrictEquals(totals.connections(-(2 ** 31)), 2 ** 31);
  assertEquals(totals.connections(-1), 2 ** 32 - 1);
  assertEquals(totals.connections(3), 2 ** 32 + 3);
  assertEquals(totals.connections(3), 2 ** 32 + 3);
});

Deno.test("Totals adds reports up, and routes that were expected come first", () => {
  const totals = new Totals();
  totals.expect(["a", "b"]);
  const route = { failed: 0, received: 1, sent: 2 };
  for (let number = 0; number < 2; number++) {
    totals.add({
      ...nothing(),
      received: 10,
      routes: [{ name: "c", hits: 1, ...route }, {
        name: "b",
        hits: 2,
        ...route,
      }],
    });
  }
  assertEquals(totals.received, 20);
  assertEquals([...totals.routes].map(([name, { hits }]) => [name, hits]), [
    ["a", 0],
    ["b", 4],
    ["c", 2],
  ]);
});
