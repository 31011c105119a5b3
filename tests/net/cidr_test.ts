import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  contains,
  formatNetwork,
  parseIp,
  parseNetwork,
} from "../../src/net/cidr.ts";

Deno.test("parseNetwork() and contains() know IPv4, IPv6, and IPv4 in IPv6", () => {
  const cases: [network: string, address: string, expected: boolean][] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.128/25", "192.0.2.129", true],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "2001:db8::1", true],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
  ];
  for (const [text, address, expected] of cases) {
    const network = parseNetwork(text);
    assert(typeof network !== "string", text);
    assertStrictEquals(
      contains(network, parseIp(address) ?? new Uint8Array(0)),
      expected,
      `${text} ${address}`,
    );
  }
  for (
    const text of [
      "",
      "x",
      "1.2.3",
      "1.2.3.4/",
      "1.2.3.4/33",
      "::/129",
      "10.0.0.1/8",
      "1.2.3.4/8/8",
      "fe80::1%eth0",
      "::ffff:10.0.0.0/8",
    ]
  ) {
    assertEquals(typeof parseNetwork(text), "string", text);
  }
  for (const text of ["10.0.0.0/8", "10.1.2.3", "2001:db8::/33", "::1"]) {
    const network = parseNetwork(text);
    assert(typeof network !== "string");
    assertStrictEquals(formatNetwork(network), text);
  }
});

Deno.test("parseIp() reads what is an address, whatever it has read before", () => {
  const longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
  assertEquals(parseIp(longest), new Uint8Array(16).fill(255));
  for (
    const text of [
      "",
      ":",
      "%eth0",
      "1.2.3",
      "1.2.3.",
      "1.2.3.256",
      "1.2.3.04",
      "::1:",
      "::é",
      "1.2.3.4\u0131",
      `${longest}0`,
      `${longest}.255.255.255.255`,
    ]
  ) {
    assertEquals(parseIp(text), undefined, text);
    assertEquals(parseIp("1.2.3.4"), Uint8Array.of(1, 2, 3, 4));
    assertEquals(parseIp("::ffff:1.2.3.4"), Uint8Array.of(1, 2, 3, 4));
    assertEquals(parseIp("::1%eth0")?.lastIndexOf(1), 15);
    parseIp(longest);
  }
});
