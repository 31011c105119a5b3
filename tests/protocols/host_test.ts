import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import {
  ipv4Text,
  ipv6Text,
  readIpv4,
  readIpv6,
} from "../../src/protocols/_address.ts";
import { hostName, hostPort } from "../../src/protocols/_host.ts";
import { bytes, uint } from "../support/protocols/builders.ts";

const label = "a".repeat(63);
const names: Readonly<Record<string, string | null>> = {
  "example.com": "example.com",
  "WWW.Example.COM.": "www.example.com",
  "a": "a",
  "-a_.b-": "-a_.b-",
  "1.2.3.4": "1.2.3.4",
  "xn--bcher-kva.example": "xn--bcher-kva.example",
  [`${label}.a`]: `${label}.a`,
  [`${label}.${label}.${label}.${"a".repeat(61)}.`]:
    `${label}.${label}.${label}.${"a".repeat(61)}`,
  "::1": "::1",
  "2001:DB8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
  "::ffff:1.2.3.4": "::ffff:1.2.3.4",
  "": null,
  ".": null,
  "..": null,
  "a..": null,
  ".a": null,
  "a..b": null,
  "a b": null,
  "a/b": null,
  "a%62": null,
  "a*": null,
  "a\0": null,
  "\xe4": null,
  ":": null,
  "a:b": null,
  "::1.": null,
  "[::1]": null,
  [`a${label}`]: null,
  [`${label}.${label}.${label}.${label}`]: null,
};

for (const [text, expected] of Object.entries(names)) {
  Deno.test(`hostName() of ${JSON.stringify(text)} is ${expected}`, () => {
    const data = bytes("x.", text, ".x");
    assertStrictEquals(hostName(data, 2, 2 + text.length), expected);
  });
}

const withPorts: Readonly<
  Record<string, { host: string; port: number | undefined } | null>
> = {
  "A.b.": { host: "a.b", port: undefined },
  "A.b.:80": { host: "a.b", port: 80 },
  "a:": { host: "a", port: undefined },
  "a:0": { host: "a", port: 0 },
  "a:00080": { host: "a", port: 80 },
  "a:65535": { host: "a", port: 65_535 },
  "[::1]": { host: "::1", port: undefined },
  "[::1]:": { host: "::1", port: undefined },
  "[0:0::1]:443": { host: "::1", port: 443 },
  "": null,
  ":80": null,
  "a:65536": null,
  "a:000080": null,
  "a:+1": null,
  "a:8 0": null,
  "a:80:80": null,
  "::1": null,
  "[::1": null,
  "[::1]80": null,
  "[]": null,
  "[a]": null,
  "[1.2.3.4]": null,
  "[::1%25eth0]": null,
  "u@a": null,
};

for (const [text, expected] of Object.entries(withPorts)) {
  Deno.test(`hostPort() of ${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => {
    const data = bytes("x", text, "0");
    assertEquals(hostPort(data, 1, 1 + text.length), expected);
  });
}

Deno.test("readIpv4() takes four decimal numbers and nothing else", () => {
  const read = (text: string) => {
    const address = readIpv4(bytes(text, "5"), 0, text.length);
    return address < 0 ? null : ipv4Text(uint(4, address), 0);
  };
  for (const text of ["0.0.0.0", "192.0.2.1", "255.255.255.255"]) {
    assertStrictEquals(read(text), text);
  }
  for (
    const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "1.2.3.04",
      "1..3.4",
      "1.2.3.",
      "1.2.3.4444",
      "a.2.3.4",
    ]
  ) {
    assertEquals(read(text), null, text);
  }
});

Deno.test("readIpv6() and ipv6Text() agree with URL", () => {
  const group = fc.constantFrom(
    "0",
    "00",
    "1",
    "a",
    "FFFF",
    "db8",
    "",
    ":",
    "1.2.3.4",
    "12345",
    ".",
    "g",
  );
  const similar = fc.array(group, { minLength: 1, maxLength: 9 }).map((
    groups,
  ) => groups.join(":"));
  fc.assert(
    fc.property(fc.oneof(fc.ipV6(), similar), (text) => {
      const data = bytes(text, ":1");
      const address = readIpv6(data, 0, text.length);
      const url = URL.parse(`http://[${text}]/`)?.hostname ?? null;
      assertEquals(address === null, url === null, text);
      if (address === null || url === null) return;
      const canonical = ipv6Text(address, 0);
      // RFC 5952 section 5 writes these with dots, URL does not.
      if (!canonical.startsWith("::ffff:")) assertEquals(`[${canonical}]`, url);
      const again = bytes(canonical);
      assertEquals(readIpv6(again, 0, again.length), address);
    }),
    { numRuns: 2000 },
  );
});
