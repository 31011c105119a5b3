import { assert, assertEquals } from "@std/assert";
import { BoundedMap } from "../../src/lib/bounded_map.ts";

Deno.test("BoundedMap keeps what is used, within its bound", () => {
  const map = new BoundedMap<number>(100);
  map.set("used", 1);
  for (let i = 0; i < 10_000; i++) {
    map.set(`other ${i}`, i);
    assertEquals(map.get("used"), 1);
    assert(map.size <= 100, `${map.size}`);
  }
  assertEquals(map.get("other 0"), undefined);
  assertEquals(map.get("other 9999"), 9999);
});

Deno.test("BoundedMap.peek() does not use an entry, delete() forgets it", () => {
  const map = new BoundedMap<number>(4);
  map.set("a", 1);
  map.set("b", 2);
  map.set("c", 3);
  assertEquals(map.peek("a"), 1);
  map.set("d", 4);
  map.set("e", 5);
  assertEquals(map.peek("a"), undefined);
  assertEquals(map.get("c"), 3);
  map.delete("c");
  map.delete("d");
  assertEquals(map.get("c"), undefined);
  assertEquals(map.get("d"), undefined);
  assertEquals(map.get("e"), 5);
  assertEquals(map.size, 1);
});
