import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Placed, PlacedSet } from "../../src/lib/placed_set.ts";

class Member implements Placed {
  place = -1;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

Deno.test("a PlacedSet has what was added and not deleted", () => {
  fc.assert(fc.property(fc.array(fc.nat(9)), (numbers) => {
    const members = Array.from({ length: 10 }, (_, id) => new Member(id));
    const set = new PlacedSet<Member>();
    const model = new Set<Member>();
    for (const number of numbers) {
      const member = members[number] as Member;
      if (model.delete(member)) set.delete(member);
      else {
        model.add(member);
        set.add(member);
      }
      assertEquals(set.size, model.size);
      assertEquals(new Set(set), model);
    }
  }));
});

Deno.test("a PlacedSet can be changed while one goes through it", () => {
  const set = new PlacedSet<Member>();
  const members = Array.from({ length: 5 }, (_, id) => new Member(id));
  for (const member of members) set.add(member);
  const seen: Member[] = [];
  for (const member of set) {
    seen.push(member);
    set.delete(member);
  }
  assertEquals(seen, members);
  assertEquals(set.size, 0);
});
