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
  "a hello of SSL 2": hex("80 2e 01 00"),
  "a hello in the format of SSL 2 that is too long": hex("90"),
  "another message in the format of SSL 2": hex("80 2e 02"),
  "a hello in the format of SSL 2 that is too short": hex("80 08"),
  "half a cipher suite in the format of SSL 2": hex("80 2e 01 0303 0004"),
  "no cipher suite in the format of SSL 2": hex("80 2e 01 0303 0000"),
  "a wrong length in the format of SSL 2": hex("80 2e 01 0303 0003 0000 0021"),
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
