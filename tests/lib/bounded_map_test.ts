import assert from "node:assert/strict";
import { BoundedMap } from "../../src/lib/bounded_map.ts";

Deno.test("BoundedMap keeps what is used, within its bound", () => {
  const map = new BoundedMap<number>(100);
  map.set("used", 1);
  for (let i = 0; i < 10_000; i++) {
    map.set(`other ${i}`, i);
    assert.equal(map.get("used"), 1);
    assert(map.size <= 100, `${map.size}`);
  }
  assert.equal(map.get("other 0"), undefined);
  assert.equal(map.get("other 9999"), 9999);
});

Deno.test("BoundedMap.peek() does not use an entry, delete() forgets it", () => {
  const map = new BoundedMap<number>(4);
  map.set("a", 1);
  map.set("b", 2);
  map.set("c", 3);
  assert.equal(map.peek("a"), 1);
  map.set("d", 4);
  map.set("e", 5);
  assert.equal(map.peek("a"), undefined);
  assert.equal(map.get("c"), 3);
  map.delete("c");
  map.delete("d");
  assert.equal(map.get("c"), undefined);
  assert.equal(map.get("d"), undefined);
  assert.equal(map.get("e"), 5);
  assert.equal(map.size, 1);
});
