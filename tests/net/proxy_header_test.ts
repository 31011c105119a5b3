import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import {
  isProxyVersion,
  localHeader,
  proxyHeader,
} from "../../src/net/proxy_header.ts";
import { fromLatin1, latin1 } from "../../src/router/latin1.ts";
import { proxyProtocol } from "../../src/protocols/mod.ts";
import type { Address } from "../../src/mod.ts";

const tcp = (hostname: string, port: number): Address => ({
  transport: "tcp",
  hostname,
  port,
});
const unix = (path: string): Address => ({ transport: "unix", path });

const text = (...ends: [from: Address, to: Address]) =>
  fromLatin1(proxyHeader(1, ...ends));
const hex = (...ends: [from: Address, to: Address]) =>
  proxyHeader(2, ...ends).toHex();

/** The signature, as section 2.2 of the specification writes it. */
const SIGNATURE = "0d0a0d0a000d0a515549540a";

Deno.test("proxyHeader() writes the line that the specification has as an example", () => {
  assertEquals(
    text(tcp("192.168.0.1", 56_324), tcp("192.168.0.11", 443)),
    "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
  );
});

Deno.test("proxyHeader() writes the longest lines that the specification allows", () => {
  const ipv4 = tcp("255.255.255.255", 65_535);
  assertEquals(
    text(ipv4, ipv4),
    "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
  );
  const ipv6 = tcp("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65_535);
  assertEquals(text(ipv6, ipv6).length, 104);
});

Deno.test("proxyHeader() writes version 2 as the specification lays it out", () => {
  assertEquals(
    hex(tcp("192.168.0.1", 56_324), tcp("192.168.0.11", 443)),
    `${SIGNATURE}21 11 000c c0a80001 c0a8000b dc04 01bb`.replaceAll(" ", ""),
  );
  assertEquals(
    hex(tcp("2001:db8::1", 1), tcp("fe80::ff:2%eth0", 65_535)),
    `${SIGNATURE}21 21 0024 20010db8000000000000000000000001 fe8000000000000000000000 00ff0002 0001 ffff`
      .replaceAll(" ", ""),
  );
  assertEquals(
    hex(unix("/run/a"), unix("")),
    `${SIGNATURE}213100d82f72756e2f61${"00".repeat(210)}`,
  );
});

Deno.test("proxyHeader() writes IPv4 when both ends are IPv4, also in IPv6", () => {
  const mapped = tcp("::ffff:192.0.2.1", 1);
  const plain = tcp("192.0.2.2", 2);
  assertEquals(text(mapped, plain), "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
  assertEquals(hex(plain, mapped).slice(24, 32), "2111000c");
});

Deno.test("proxyHeader() writes IPv6, in hexadecimal only, when one end is IPv6", () => {
  const ends = [tcp("192.0.2.1", 1), tcp("2001:db8::2", 2)] as const;
  assertEquals(
    text(...ends),
    "PROXY TCP6 ::ffff:c000:201 2001:db8::2 1 2\r\n",
  );
  assertEquals(
    hex(...ends),
    `${SIGNATURE}21210024${"00".repeat(10)}ffffc000020120010db8${
      "00".repeat(11)
    }0200010002`,
  );
});

Deno.test("proxyHeader() leaves out what the version cannot say", () => {
  const cases: [from: Address, to: Address][] = [
    [unix(""), tcp("::1", 1)],
    [tcp("::1", 1), unix("/run/a")],
    [tcp("example.com", 1), tcp("::1", 1)],
  ];
  for (const ends of cases) {
    assertEquals(text(...ends), "PROXY UNKNOWN\r\n");
    assertEquals(hex(...ends), `${SIGNATURE}21000000`);
  }
  assertEquals(text(unix("/a"), unix("/b")), "PROXY UNKNOWN\r\n");
});

Deno.test("localHeader() says LOCAL, without addresses", () => {
  assertEquals(localHeader().toHex(), `${SIGNATURE}20000000`);
});

Deno.test("isProxyVersion() knows 1 and 2 only", () => {
  assertEquals([1, 2].map(isProxyVersion), [true, true]);
  for (const value of [0, 3, "1", 1n, true, null, undefined, NaN]) {
    assertEquals(isProxyVersion(value), false, String(value));
  }
});

Deno.test("our parser reads what proxyHeader() has written, and no byte behind it", () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const end = (address: fc.Arbitrary<string>) => fc.tuple(address, port);
  const path = fc.stringMatching(/^\/[\w./-]{0,100}$/);
  fc.assert(fc.property(
    fc.constantFrom(1 as const, 2 as const),
    fc.oneof(
      fc.tuple(end(fc.ipV4()), end(fc.ipV4())),
      fc.tuple(end(fc.ipV6()), end(fc.ipV6())),
    ),
    fc.uint8Array({ maxLength: 9 }),
    (version, [from, to], rest) => {
      const bytes = proxyHeader(version, tcp(...from), tcp(...to));
      const both = new Uint8Array([...bytes, ...rest]);
      const header = proxyProtocol(both);
      assert(header);
      assertEquals(header.length, bytes.length);
      assertStrictEquals(header.version, version);
      assertEquals(header.command, "proxy");
      const { source, destination } = header;
      assert(source && "port" in source && destination);
      assertEquals(source.port, from[1]);
      // written once more, it is the same: so the addresses were, too
      assertEquals(
        proxyHeader(version, source as Address, destination as Address),
        bytes,
      );
    },
  ));
  fc.assert(fc.property(path, path, (from, to) => {
    const header = proxyProtocol(proxyHeader(2, unix(from), unix(to)));
    assert(header);
    assertEquals(header.source, unix(from));
    assertEquals(header.destination, unix(to));
  }));
  assertEquals(proxyProtocol(latin1(text(unix(""), unix(""))))?.length, 15);
  assertEquals(proxyProtocol(localHeader())?.command, "local");
});
