import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import {
  Buffers,
  FIRST,
  LARGE,
  MEDIUM,
  SMALL,
} from "../../src/connection/buffers.ts";

/** Lends a buffer and grows it, as a flow does that fills it twice. */
function large(buffers: Buffers): Uint8Array {
  const medium = buffers.fit(buffers.small(), SMALL);
  return buffers.fit(medium, MEDIUM);
}

Deno.test("Buffers lends a small buffer first", () => {
  const buffers = new Buffers();
  const one = buffers.small();
  const two = buffers.small();
  assertEquals(one.length, SMALL);
  assertNotStrictEquals(one, two);
  // they may share an allocation, but no byte
  one.fill(1);
  two.fill(2);
  assert(one.every((byte) => byte === 1));
});

Deno.test("Buffers lends a buffer again when it was given back", () => {
  const buffers = new Buffers();
  const small = buffers.small();
  buffers.release(small);
  assertStrictEquals(buffers.small(), small);
  assertNotStrictEquals(buffers.small(), small);
});

Deno.test("first() lends a buffer for what is read before the decision", () => {
  const buffers = new Buffers();
  const first = buffers.first();
  assertEquals(first.length, FIRST);
  assertNotStrictEquals(buffers.first(), first);
  buffers.release(first);
  assertNotStrictEquals(buffers.small(), first, "it is of another kind");
  assertStrictEquals(buffers.first(), first);
});

Deno.test("fit() lends the next size when the buffer was filled, up to the largest", () => {
  const buffers = new Buffers();
  const small = buffers.small();
  const medium = buffers.fit(small, SMALL);
  assertEquals(medium.length, MEDIUM);
  assertStrictEquals(buffers.small(), small, "the small one was given back");
  const largest = buffers.fit(medium, MEDIUM);
  assertEquals(largest.length, LARGE);
  assertStrictEquals(buffers.fit(largest, LARGE), largest);
});

Deno.test("fit() keeps the buffer when it was used but not filled", () => {
  const buffers = new Buffers();
  const small = buffers.small();
  assertStrictEquals(buffers.fit(small, 1), small);
  assertStrictEquals(buffers.fit(small, SMALL - 1), small);
  const medium = buffers.fit(small, SMALL);
  assertStrictEquals(buffers.fit(medium, SMALL + 1), medium);
  assertStrictEquals(buffers.fit(medium, MEDIUM - 1), medium);
});

Deno.test("fit() lends a small buffer when little came", () => {
  const buffers = new Buffers();
  for (const big of [buffers.fit(buffers.small(), SMALL), large(buffers)]) {
    assertEquals(buffers.fit(big, SMALL).length, SMALL);
  }
});

Deno.test("fit() lends no more large buffers when 32 are lent", () => {
  const buffers = new Buffers();
  const lent = Array.from({ length: 40 }, () => large(buffers));
  const sizes = lent.map((buffer) => buffer.length);
  assertEquals(sizes.filter((size) => size === LARGE).length, 32);
  assertEquals(sizes.filter((size) => size === MEDIUM).length, 8);
  buffers.release(lent[0] as Uint8Array);
  assertStrictEquals(large(buffers), lent[0]);
  assertEquals(large(buffers).length, MEDIUM);
});

Deno.test("fit() takes a big buffer back after each short read when there are many", () => {
  const buffers = new Buffers();
  const lent = Array.from(
    { length: 128 },
    () => buffers.fit(buffers.small(), SMALL),
  );
  const last = lent[127] as Uint8Array;
  assertEquals(buffers.fit(last, SMALL + 1).length, SMALL);
  const other = lent[0] as Uint8Array;
  assertStrictEquals(
    buffers.fit(other, SMALL + 1),
    other,
    "now there are fewer",
  );
});

Deno.test("release() takes no buffer that was not lent", () => {
  const buffers = new Buffers();
  buffers.release(new Uint8Array(0));
  buffers.release(new Uint8Array(4096));
  const foreign = new Uint8Array(MEDIUM);
  buffers.release(foreign);
  assertNotStrictEquals(buffers.fit(buffers.small(), SMALL), foreign);
  const foreignLarge = new Uint8Array(LARGE);
  buffers.release(foreignLarge);
  assertNotStrictEquals(large(buffers), foreignLarge);
});

Deno.test("release() takes a big buffer once when it is given back twice", () => {
  const buffers = new Buffers();
  const medium = buffers.fit(buffers.small(), SMALL);
  buffers.release(medium);
  buffers.release(medium);
  const one = buffers.fit(buffers.small(), SMALL);
  const two = buffers.fit(buffers.small(), SMALL);
  assertNotStrictEquals(one, two);
});

Deno.test("Buffers keeps at most 4 MiB of a size when more are given back", () => {
  const buffers = new Buffers();
  const lent = Array.from(
    { length: 100 },
    () => buffers.fit(buffers.small(), SMALL),
  );
  for (const buffer of lent) buffers.release(buffer);
  const again = Array.from(
    { length: 100 },
    () => buffers.fit(buffers.small(), SMALL),
  );
  const reused = again.filter((buffer) => lent.includes(buffer)).length;
  assertEquals(reused, 4 * 1024 * 1024 / MEDIUM);
});
