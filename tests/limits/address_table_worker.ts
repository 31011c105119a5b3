/** One of the threads that count the same addresses (see address_table_test.ts). */
import { AddressTable } from "../../src/limits/address_table.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

const ROUNDS = 300_000;

/** More addresses than their bucket has slots, so that slots change hands. */
const ADDRESSES = 24;

/** Connections that a thread holds at a time: few, so that slots become free. */
const HOLD = 2;

/** Connections that an address may have: fewer than want it. */
const MOST = 1;

scope.onmessage = ({ data }) => {
  const { index, threads } = data;
  const table = new AddressTable(data.table, data.ledger);
  const held = new Int32Array(data.held);
  const ready = 63;
  Atomics.add(held, ready, 1);
  while (Atomics.load(held, ready) < threads); // all begin at a time
  const mine: [slot: number, address: number][] = [];
  const wrong: string[] = [];
  let full = 0;
  let random = index + 1;
  const next = (below: number) => {
    random = random * 1103515245 + 12345 & 0x7fffffff;
    return (random >> 8) % below;
  };
  for (let round = 0; round < ROUNDS; round++) {
    if (mine.length === HOLD || mine.length > 0 && next(2) === 0) {
      const [[slot, address] = [0, 0]] = mine.splice(next(mine.length), 1);
      // before it is left, so that the number held is never more than counted
      Atomics.sub(held, address, 1);
      table.leave(slot);
      continue;
    }
    const address = next(ADDRESSES);
    const entry = table.enter({ low: 3, high: address }, MOST, undefined);
    if (entry === "full") full++;
    if (typeof entry !== "number") continue;
    const count = Atomics.add(held, address, 1) + 1;
    if (count > MOST) wrong.push(`address ${address} has ${count}`);
    mine.push([entry, address]);
  }
  scope.postMessage({ wrong, full, slots: mine.map(([slot]) => slot) });
};
