import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { http } from "proxymachine/protocols";
import { bytes } from "../support/protocols/builders.ts";
import {
  assertMonotone,
  assertRefusedAtLastByte,
} from "../support/protocols/checks.ts";

const get = (fields: string) => `GET / HTTP/1.1\r\n${fields}`;

const refused: Readonly<Record<string, string>> = {
  "a NUL in the method": "X\0",
  "a space first": " ",
  "a slash in the method": "A/",
  "a digit first": "0",
  "a digit first, behind an empty line": "\r\n0",
  "no target": "GET\r",
  "a CR alone first": "\rG",
  "a method of 65 characters": "M".repeat(65),
  "a control character in the target": "GET /\x01",
  "a DEL in the target": "GET /\x7f",
  "HTTP/0.9": "GET /\r",
  "a target that is no path": "GET a ",
  "a target that begins with a digit": "GET 1",
  "a target of another form": "GET ?",
  "more than an asterisk": "OPTIONS *a",
  "a target without //": "GET http:a",
  "a tunnel to a path": "CONNECT /",
  "another protocol": "GET / S",
  "HTTP/2": "PRI / HTTP/2",
  "no digit in the version": "GET / HTTP/1.x",
  "two digits in the version": "GET / HTTP/1.10",
  "a CR alone behind the version": "GET / HTTP/1.1\rH",
  "space before the first field": get(" "),
  "a field without name": get(":"),
  "space in a field's name": get("Host "),
  "a CR alone in a value": get("A: b\rc"),
  "a CR alone at the end": get("Host: a\r\n\rA"),
};

for (const [what, text] of Object.entries(refused)) {
  Deno.test(`http() returns null at the earliest byte when there is ${what}`, () => {
    assertRefusedAtLastByte("http", bytes(text));
  });
}

Deno.test("http() reads a head of 64 KiB, and none that is longer", () => {
  for (const [length, isRead] of [[65_536, true], [65_537, false]] as const) {
    const text = get("A: ") + "a".repeat(length - get("A: ").length - 4) +
      "\r\n\r\n";
    assertEquals(text.length, length);
    assertStrictEquals(Boolean(http(bytes(text))), isRead);
    assertEquals(http(bytes(text).subarray(0, 65_535)), undefined);
    if (!isRead) assertEquals(http(bytes(text).subarray(0, 65_536)), null);
  }
});

Deno.test("http() returns null when a target does not end within 64 KiB", () => {
  const text = bytes(`GET /${"a".repeat(70_000)}`);
  assertEquals(http(text.subarray(0, 65_535)), undefined);
  assertMonotone("http", text, [65_000, 65_535, 65_536, 70_000]);
});

Deno.test("http() has headers that are found in any case", () => {
  const headers = http(bytes(get("X-A:1\r\nx-a: 2\r\n\r\n")))?.headers;
  assert(headers);
  assertEquals(headers.get("X-a"), "1, 2");
  assertEquals(headers.has("x-A"), true);
  assertEquals(headers.get("constructor"), null);
  assertEquals(headers.has("y"), false);
  assertEquals([...headers], [["x-a", "1, 2"]]);
  assertEquals([...headers.entries()], [...headers]);
});

Deno.test("http() takes every method that RFC 9110 allows", () => {
  const method = "!#$%&'*+-.^_`|~09azAZ";
  assertStrictEquals(
    http(bytes(`${method} / HTTP/1.1\r\n\r\n`))?.method,
    method,
  );
});
