import { assertEquals, assertStrictEquals } from "@std/assert";
import { tls } from "proxymachine/protocols";
import {
  alpn,
  bytes,
  clientHello,
  helloMessage,
  hex,
  padding,
  records,
  serverName,
  sized,
  supportedVersions,
  uint,
} from "../support/protocols/builders.ts";
import {
  assertMonotone,
  assertRefusedAtLastByte,
} from "../support/protocols/checks.ts";

/** What stands before the extensions of a hello with these parts. */
const start = (body: number, ...parts: (number | string | Uint8Array)[]) =>
  bytes(
    0x16,
    3,
    1,
    uint(2, body + 4),
    1,
    uint(3, body),
    3,
    3,
    new Uint8Array(32),
    ...parts,
  );
/** A hello of 300 bytes up to its list of extensions, which has 257. */
const listed = (...parts: (number | string | Uint8Array)[]) =>
  start(300, 0, sized(2, 0x13, 1), sized(1, 0), uint(2, 257), ...parts);

const refused: Readonly<Record<string, Uint8Array>> = {
  "an SSL 2 hello": hex("80"),
  "an alert record": hex("15"),
  "a record of version 2": hex("16 02"),
  "an empty record": hex("16 03 01 00 00"),
  "a record that is much too long": hex("16 03 01 41"),
  "a record that is a byte too long": hex("16 03 01 40 01"),
  "a ServerHello": hex("16 03 01 00 50 02"),
  "a hello that is much too long": hex("16 03 01 00 50 01 02"),
  "a hello that is too short": hex("16 03 01 00 50 01 00 00 28"),
  "a hello that ends behind 64 KiB": hex("16 03 01 40 00 01 00 ff f8"),
  "another message between the records": bytes(hex("16 03 01 00 01 01 14")),
  "an empty second record": hex("16 03 01 00 01 01 16 03 01 00 00"),
  "a wrong length in the second record": hex(
    "16 03 01 00 01 01 16 03 01 00 03 02",
  ),
  "a hello of version 2": hex("16 03 01 00 50 01 00 00 4c 02"),
  "a session id of 33 bytes": start(76, 33),
  "no cipher suites": start(76, 0, 0, 0),
  "half a cipher suite": start(76, 0, 0, 3),
  "cipher suites beyond the end": start(76, 0, 1, 0),
  "no compression methods": start(76, 0, sized(2, 0x13, 1), 0),
  "extensions beyond the end": start(300, 0, sized(2, 0x13, 1), sized(1, 0), 2),
  "extensions that end too early": start(
    300,
    0,
    sized(2, 0x13, 1),
    sized(1, 0),
    1,
    0,
  ),
  "an extension beyond the end": listed(0, 21, 1),
  "half an extension": records(helloMessage([bytes(0, 21, 0)])).subarray(0, -3),
  "an empty server name extension": listed(0, 0, 0, 0),
  "an empty list of server names": listed(0, 0, 0, 2, 0, 0),
  "a wrong length of the list of names": listed(0, 0, 0, 9, 0, 6),
  "a list of server names that is too short": listed(0, 0, 0, 5, 0, 3),
  "an empty server name": listed(0, 0, 0, 9, 0, 7, 0, 0, 0),
  "a server name beyond its list": listed(0, 0, 0, 9, 0, 7, 0, 0, 5),
  "a space in the server name": listed(0, 0, 0, 9, 0, 7, 0, 0, 4, "a "),
  "a NUL in the server name": listed(0, 0, 0, 9, 0, 7, 0, 0, 4, "a\0"),
  "UTF-8 in the server name": listed(0, 0, 0, 9, 0, 7, 0, 0, 4, "a\xc3"),
  "an empty label in the server name": listed(
    0,
    0,
    0,
    9,
    0,
    7,
    0,
    0,
    4,
    "a..b",
  ),
  "a server name with a port": listed(0, 0, 0, 9, 0, 7, 0, 0, 4, "a:80"),
  "two server names": listed(0, 0, 0, 13, 0, 11, 0, 0, 1, "a", 0, 0, 1, "b")
    .subarray(0, -1),
  "an empty list of protocols": listed(0, 16, 0, 2, 0, 0),
  "an empty protocol": listed(0, 16, 0, 6, 0, 4, 0),
  "a protocol beyond its list": listed(0, 16, 0, 5, 0, 3, 3),
  "an empty list of versions": listed(0, 43, 0, 1, 0),
  "half a version": listed(0, 43, 0, 4),
};

for (const [what, message] of Object.entries(refused)) {
  Deno.test(`tls() returns null at the earliest byte when there is ${what}`, () => {
    assertRefusedAtLastByte("tls", message);
  });
}

for (
  const [what, twice] of Object.entries({
    "server names": serverName("a"),
    protocols: alpn("h2"),
    versions: supportedVersions(0x0304),
  })
) {
  Deno.test(`tls() returns null when there are two extensions with ${what}`, () => {
    const hello = clientHello(twice, padding(9), twice);
    assertEquals(tls(hello), null);
    assertMonotone("tls", hello);
  });
}

Deno.test("tls() reads a hello that ends at the last byte of 64 KiB, and none that ends behind", () => {
  const largest = 65_536 - 5 * 5 - 4;
  const empty = helloMessage([padding(0)]).length - 4;
  for (
    const [length, isRead] of [[largest, true], [largest + 1, false]] as const
  ) {
    const message = helloMessage([padding(length - empty)]);
    const hello = records(message, 16_000, 32_000, 48_000, 64_000);
    assertStrictEquals(Boolean(tls(hello)), isRead);
    assertEquals(tls(hello.subarray(0, 65_535)), isRead ? undefined : null);
  }
});

Deno.test("tls() ignores the version of the record and what follows the hello in it", () => {
  const hello = records(bytes(helloMessage([serverName("a")]), 1, 2, 3));
  hello[2] = 9;
  assertEquals(tls(hello)?.serverName, "a");
});
