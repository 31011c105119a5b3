import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import fc from "fast-check";
import type { Connection } from "../../src/connection/connection.ts";
import { accessLog, isoTime, NO_ACCESS_LOG } from "../../src/log/access_log.ts";

/** The part of a connection that is written. */
function ended(fields: Partial<Connection> = {}): Connection {
  const address = (hostname: string, port: number) =>
    ({ transport: "tcp", hostname, port }) as const;
  return {
    info: {
      id: 7,
      remoteAddr: address("10.0.0.9", 40_000),
      localAddr: address("10.0.0.1", 5432),
    },
    route: "web",
    remote: "10.0.0.2:80",
    received: 123,
    sent: 4567,
    started: performance.now() - 1500,
    endReason: "done",
    ...fields,
  } as Connection;
}

function lineOf(format: "text" | "json", connection: Connection): string {
  const lines: string[] = [];
  accessLog(format, (line) => lines.push(line)).connection(connection);
  assertEquals(lines.length, 1);
  return lines[0] as string;
}

Deno.test("accessLog() writes who, where to, bytes, time and reason as text", () => {
  assertMatch(
    lineOf("text", ended()),
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z id=7 client=10\.0\.0\.9:40000 route=web remote=10\.0\.0\.2:80 in=123 out=4567 seconds=\d+\.\d{3} end=done\n$/,
  );
});

Deno.test("accessLog() writes the same fields as JSON", () => {
  const line = lineOf("json", ended());
  assert(line.endsWith("}\n"));
  const { time, seconds, ...rest } = JSON.parse(line);
  assert(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  assert(seconds >= 1.5 && Number(seconds.toFixed(3)) === seconds);
  assertEquals(rest, {
    id: 7,
    client: "10.0.0.9:40000",
    route: "web",
    remote: "10.0.0.2:80",
    in: 123,
    out: 4567,
    end: "done",
  });
});

Deno.test("accessLog() says so when there was no remote", () => {
  const connection = ended({ remote: undefined, endReason: "client-left" });
  assertMatch(lineOf("text", connection), / remote=- .* end=client-left\n$/);
  assertEquals(JSON.parse(lineOf("json", connection)).remote, null);
});

Deno.test("accessLog() quotes the name of a route where it would be several fields", () => {
  const route = (name: string | undefined) =>
    /route=(.*) remote=/.exec(lineOf("text", ended({ route: name })))?.[1];
  assertEquals(route("a/b-c.d:e"), "a/b-c.d:e");
  assertEquals(route("route 3"), '"route 3"');
  assertEquals(route('a="b"'), '"a=\\"b\\""');
  assertEquals(route(undefined), "-");
});

Deno.test("accessLog() puts an IPv6 address in brackets", () => {
  const info = {
    ...ended().info,
    remoteAddr: { transport: "tcp", hostname: "::1", port: 9 },
  } as const;
  assertMatch(lineOf("text", ended({ info })), / client=\[::1\]:9 /);
});

Deno.test("NO_ACCESS_LOG writes nothing", () => {
  NO_ACCESS_LOG.connection(ended());
});

Deno.test("isoTime() writes times as toISOString() does", () => {
  const near = fc.integer({ min: -2000, max: 2000 }).map((n) => 1.8e12 + n);
  const times = fc.oneof(near, fc.integer({ min: 0, max: 8e12 }));
  fc.assert(fc.property(times, (time) => {
    assertStrictEquals(isoTime(time), new Date(time).toISOString());
  }));
});
