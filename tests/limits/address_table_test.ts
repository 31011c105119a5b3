import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type AddressKey, addressKey } from "../../src/limits/address_key.ts";
import { AddressTable, type Entry } from "../../src/limits/address_table.ts";
import { delay } from "../support/delay.ts";

/** Keys that all belong into one bucket. */
function crowd(count: number): AddressKey[] {
  return Array.from({ length: count }, (_, i) => ({ low: 7, high: i + 1 }));
}

function isSlot(entry: Entry): entry is number {
  return typeof entry === "number";
}

const KEY: AddressKey = { low: 1, high: 2 };

Deno.test("enter() counts up to the limit of an address, and leave() gives back", () => {
  const table = new AddressTable();
  const slots = [1, 2, 3].map(() => table.enter(KEY, 3, undefined));
  assertEquals(new Set(slots).size, 1);
  assertEquals(table.enter(KEY, 3, undefined), "too-many");
  assert(isSlot(table.enter({ low: 1, high: 3 }, 3, undefined)), "another");
  table.leave(slots[0] as number);
  assert(isSlot(table.enter(KEY, 3, undefined)));
  assertEquals(table.enter(KEY, 3, undefined), "too-many");
  assert(isSlot(table.enter(KEY, 4, undefined)), "the limit was raised");
});

Deno.test("enter() finds no slot when a bucket is full, and one again when an address has left", () => {
  const table = new AddressTable();
  const keys = crowd(17);
  const slots = keys.map((key) => table.enter(key, 9, undefined));
  assertEquals(new Set(slots.slice(0, 16)).size, 16);
  assertEquals(slots[16], "full");
  assert(
    isSlot(table.enter(keys[3] as AddressKey, 9, undefined)),
    "counted",
  );
  table.leave(slots[5] as number);
  const late = table.enter(keys[16] as AddressKey, 9, undefined);
  assertStrictEquals(late, slots[5]);
  // the one that has left comes back, and has lost its place
  assertEquals(table.enter(keys[5] as AddressKey, 9, undefined), "full");
});

Deno.test("a rate lets the burst come at once, and then one at a time", async () => {
  const table = new AddressTable();
  const rate = { perSecond: 5, burst: 3 };
  const started = performance.now();
  let entered = 0;
  for (;;) {
    const entry = table.enter(KEY, Infinity, rate);
    if (!isSlot(entry)) {
      assertEquals(entry, "too-fast");
      if (entered >= 3) break;
      continue;
    }
    table.leave(entry);
    entered++;
  }
  // a slow machine has earned more meanwhile
  const earned = Math.floor((performance.now() - started) / 200) + 1;
  assert(entered >= 3 && entered <= 3 + earned, `${entered}`);
  while (!isSlot(table.enter(KEY, Infinity, rate))) {
    await delay(10);
  }
  const elapsed = (performance.now() - started) / 1000;
  assert(elapsed >= 0.19, `${elapsed}`);
});

Deno.test("a rate holds in the long run, whatever the pauses", async () => {
  const table = new AddressTable();
  const rate = { perSecond: 200, burst: 10 };
  const started = performance.now();
  let entered = 0;
  let elapsed = 0;
  while (elapsed < 1) {
    const entry = table.enter(KEY, Infinity, rate);
    if (isSlot(entry)) {
      table.leave(entry);
      entered++;
    } else {
      await delay(entered % 7);
    }
    elapsed = (performance.now() - started) / 1000;
  }
  assert(entered <= 10 + 200 * elapsed + 2, `${entered} in ${elapsed} s`);
  assert(entered >= 10, `${entered}`);
});

Deno.test("a thread whose clock is late does not begin the rate of an address anew", () => {
  const table = new AddressTable();
  const rate = { perSecond: 5, burst: 3 };
  const real = Date.now;
  let now = real();
  Date.now = () => now;
  try {
    for (let i = 0; i < 3; i++) assert(isSlot(table.enter(KEY, 9, rate)));
    assertEquals(table.enter(KEY, 9, rate), "too-fast");
    now -= 100; // another thread has read the clock before, and was stopped
    assertEquals(table.enter(KEY, 9, rate), "too-fast");
    now -= 3_600_000; // the clock was set back: nobody waits for an hour
    assert(isSlot(table.enter(KEY, 9, rate)));
  } finally {
    Date.now = real;
  }
});

Deno.test("an address that is paying for its rate keeps its slot", () => {
  const table = new AddressTable();
  const rate = { perSecond: 0.001, burst: 1 };
  const keys = crowd(17);
  for (const key of keys.slice(0, 16)) {
    table.leave(table.enter(key, Infinity, rate) as number);
  }
  assertEquals(table.enter(keys[16] as AddressKey, Infinity, rate), "full");
  assertEquals(table.enter(keys[0] as AddressKey, Infinity, rate), "too-fast");
});

Deno.test("giveBack() takes off what a thread has counted, and nothing else", () => {
  const one = new AddressTable();
  const ledger = AddressTable.ledger();
  const two = new AddressTable(one.shared, ledger);
  assertEquals(two.secret, one.secret);
  const slot = one.enter(KEY, 5, undefined) as number;
  for (let i = 0; i < 4; i++) two.enter(KEY, 5, undefined);
  two.leave(slot);
  assert(isSlot(one.enter(KEY, 5, undefined)));
  assertEquals(one.enter(KEY, 5, undefined), "too-many");
  one.giveBack(ledger);
  one.giveBack(ledger); // nothing happens
  for (let i = 0; i < 3; i++) assert(isSlot(one.enter(KEY, 5, undefined)));
  assertEquals(one.enter(KEY, 5, undefined), "too-many");
});

Deno.test("mayWarn() gives the word once a minute to an address, and to 60 at most", () => {
  const table = new AddressTable();
  const keys = Array.from({ length: 100 }, (_, low) => ({ low, high: 1 }));
  for (const key of keys) table.enter(key, 9, undefined);
  const minute = () => Math.floor(Date.now() / 60_000);
  const before = minute();
  const first = keys.filter((key) => table.mayWarn(key) !== undefined);
  const again = keys.slice(0, 50)
    .filter((key) => table.mayWarn(key) !== undefined);
  if (minute() !== before) return; // it has just passed
  assertEquals(first.length, 60);
  assertEquals(again.length, 0);
});

Deno.test("many threads count the same addresses exactly", async () => {
  const table = new AddressTable();
  const threads = 4;
  const source = new URL("./address_table_worker.ts", import.meta.url).href;
  const ledgers = Array.from({ length: threads }, AddressTable.ledger);
  // what each address has, as the threads themselves see it
  const held = new SharedArrayBuffer(64 * 4);
  const results = await Promise.all(ledgers.map((ledger, index) => {
    const worker = new Worker(source, { type: "module" });
    const { promise, resolve, reject } = Promise.withResolvers<{
      wrong: string[];
      full: number;
      slots: number[];
    }>();
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ table: table.shared, ledger, held, index, threads });
    return promise;
  }));
  assertEquals(results.flatMap(({ wrong }) => wrong), []);
  // what they have not left is still counted: all of it, and no more
  const kept = results.flatMap(({ slots }) => slots);
  assert(kept.length > 0);
  assert(table.size > 0);
  for (const ledger of ledgers) table.giveBack(ledger);
  assertEquals(table.size, 0, "nothing is left, and no slot is lost");
});

Deno.test("addresses spread over the table", () => {
  const table = new AddressTable();
  let full = 0;
  for (let i = 0; i < 32_768; i++) {
    const key = addressKey(
      `10.${i >> 16}.${i >> 8 & 255}.${i & 255}`,
      table.secret,
    );
    if (!isSlot(table.enter(key as AddressKey, 1, undefined))) full++;
  }
  // of 16 slots for 8 on average
  assert(full < 200, `${full}`);
});
