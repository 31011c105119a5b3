import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import {
  addressKey,
  describeGroup,
  halfSipHash,
} from "../../src/limits/address_key.ts";

Deno.test("halfSipHash() gives the values of the reference implementation", () => {
  // of bytes 0, 1, 2 … under the key 00 01 … 07 (vectors_hsip64)
  const word = (first: number) =>
    first | first + 1 << 8 | first + 2 << 16 | first + 3 << 24;
  const vectors: [words: number, hash: string][] = [
    [0, "218d1f59b9b83cc8"],
    [1, "d5e78a175be52ea1"],
    [2, "edfee820bce4858c"],
    [3, "7bc71f9faef5c799"],
  ];
  for (const [words, hash] of vectors) {
    const { low, high } = halfSipHash(
      [word(0), word(4)],
      Array.from({ length: words }, (_, i) => word(4 * i)),
    );
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setInt32(0, low, true);
    bytes.setInt32(4, high, true);
    assertStrictEquals(new Uint8Array(bytes.buffer).toHex(), hash);
  }
});

Deno.test("addressKey() tells clients apart: IPv4 by address, IPv6 by /64", () => {
  const key = (hostname: string) => addressKey(hostname, [1, 2]);
  const same = [
    ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:DB8:1:2::1%eth0"],
    ["192.0.2.2"],
    ["2001:db8:1:3::1"],
    ["::192.0.2.1"],
    ["::"],
    ["0.0.0.0"],
  ];
  // all of the unspecified /64 are one, too
  assertEquals(key("::192.0.2.1"), key("::"));
  const keys = same.filter(([one]) => one !== "::192.0.2.1").map((group) => {
    const [first, ...others] = group.map(key);
    assert(first !== undefined);
    for (const other of others) assertEquals(other, first);
    return `${first.low} ${first.high}`;
  });
  assertEquals(new Set(keys).size, keys.length);
  assertNotEquals(key("192.0.2.1"), addressKey("192.0.2.1", [1, 3]));
  assertNotEquals(key("192.0.2.1"), addressKey("192.0.2.1", [0, 2]));
  assertEquals(key("localhost"), undefined);
});

Deno.test("describeGroup() writes what is counted together", () => {
  assertEquals(describeGroup("192.0.2.1"), "192.0.2.1");
  assertEquals(describeGroup("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
});
