import assert from "node:assert/strict";
import { Troubles } from "../../src/log/recent_problems.ts";

/** What is kept of some messages: how often, and the last one. */
function kept(...messages: string[]): [count: number, message: string][] {
  const troubles = new Troubles();
  for (const message of messages) troubles.add("error", message);
  return troubles.list().map(({ count, message }) => [count, message]);
}

Deno.test("Troubles counts what differs only by the client, and keeps the last", () => {
  for (
    const of of [
      (client: string) => `Cannot route ${client} as route() threw: Error: no`,
      (client: string) =>
        `Cannot read the PROXY header of ${client} as --accept-proxy does not include that address`,
      (client: string) =>
        `Cannot accept TLS from ${client} as the handshake failed: no`,
      (client: string) =>
        `Cannot go on with the connection of ${client} as there was an internal error: no`,
      (client: string) => `Connect 10.0.0.1:80 failed: no (client ${client})`,
      (client: string) =>
        `Cannot use it as at most so many: ${client} is closed`,
    ]
  ) {
    const last = of("[::1]:3");
    assert.deepEqual(kept(of("10.0.0.9:1"), of("10.0.0.9:2"), last), [
      [3, last],
    ]);
  }
  assert.deepEqual(
    kept("Retrying 10.0.0.1:80 (#1): no", "Retrying 10.0.0.1:80 (#2): no"),
    [[2, "Retrying 10.0.0.1:80 (#2): no"]],
  );
});

Deno.test("Troubles tells remotes and reasons apart, the newest first", () => {
  const messages = [
    "Connect 10.0.0.1:80 failed: no (client 10.0.0.9:1)",
    "Connect 10.0.0.2:80 failed: no (client 10.0.0.9:1)",
    "Cannot route 10.0.0.9:1 as route() threw: Error: a",
    "Cannot route 10.0.0.9:1 as route() threw: Error: b",
  ];
  assert.deepEqual(
    kept(...messages),
    messages.toReversed().map((message) => [1, message]),
  );
});

Deno.test("Troubles keeps the last 50 warnings and errors, and nothing else", () => {
  const troubles = new Troubles();
  troubles.add("info", "nothing");
  troubles.add("debug", "nothing");
  for (let i = 0; i < 60; i++) troubles.add("warn", `message ${i}`);
  const list = troubles.list();
  assert.equal(list.length, 50);
  assert.equal(list[0]?.message, "message 59");
  assert.equal(list.at(-1)?.message, "message 10");
});
