import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  type AnyAddress,
  connectToAny,
  FailedAddresses,
} from "../../src/net/connect_to_any.ts";

const REFUSED = new Deno.errors.ConnectionRefused("refused");

Deno.test("connectToAny() goes on at once after a refusal, after 250 ms of silence, and remembers both", async () => {
  const tries = new Tries({ a: "refuses", b: "silent", c: "good" });
  const started = performance.now();
  assertStrictEquals(await tries.connect(["a", "b", "c"]), "c");
  const took = performance.now() - started;
  assert(took >= 240 && took < 600, `${took} ms`);
  assertEquals(tries.givenUp, ["b"]);
  const ordered = tries.failed.order(["a", "b", "c"], 80);
  assertEquals(ordered, ["c", "a", "b"]);
  assertStrictEquals(await tries.connect(ordered), "c");
  assertEquals(tries.tried, ["a", "b", "c", "c"]);
});

Deno.test("connectToAny() fails with the last error when every address has failed", async () => {
  const tries = new Tries({ a: "refuses", b: "refuses" });
  await assertRejects(
    () => tries.connect(["a", "b"]),
    Deno.errors.ConnectionRefused,
    "refused",
  );
  assertEquals(tries.tried, ["a", "b"]);
});

Deno.test("connectToAny() gives each address its turn within the time limit", async () => {
  const addresses = Array.from({ length: 19 }, (_, i) => `silent${i}`);
  const tries = new Tries({ good: "good" });
  const started = performance.now();
  assertStrictEquals(
    await tries.connect([...addresses, "good"], { timeout: 500 }),
    "good",
  );
  assert(performance.now() - started < 500);
});

Deno.test("connectToAny() gives up all tries when the signal says so", async () => {
  const tries = new Tries({});
  const controller = new AbortController();
  const connecting = tries.connect(["a", "b"], { signal: controller.signal });
  await tries.started(2);
  controller.abort(new Error("nobody waits"));
  await assertRejects(() => connecting, Error, "nobody waits");
  assertEquals(tries.givenUp, ["a", "b"]);
});

Deno.test("connectToAny() closes what was connected to too late", async () => {
  const tries = new Tries({ a: "late", b: "good" });
  assertStrictEquals(await tries.connect(["a", "b"]), "b");
  tries.finishLate();
  await tries.closedOne;
  assertEquals(tries.closed, ["a"]);
});

Deno.test("connectToAny() tries no other address after a final error", async () => {
  const tries = new Tries({ a: "final", b: "good" });
  await assertRejects(() => tries.connect(["a", "b"]), Deno.errors.NotCapable);
  assertEquals(tries.tried, ["a"]);
});

Deno.test("an address that has failed is tried last for a minute, and no longer", () => {
  let now = 0;
  const failed = new FailedAddresses(() => now);
  failed.failed("a", 80);
  assertEquals(failed.order(["a", "b"], 80), ["b", "a"]);
  assertEquals(failed.order(["a", "b"], 81), ["a", "b"]);
  now = 61_000;
  assertEquals(failed.order(["a", "b"], 80), ["a", "b"]);
  failed.failed("a", 80);
  failed.works("a", 80);
  assertEquals(failed.order(["a", "b"], 80), ["a", "b"]);
});

type Behaviour = "good" | "refuses" | "silent" | "late" | "final";

/** Addresses that behave as a test says, and what was done with them. */
class Tries {
  readonly failed = new FailedAddresses();
  readonly tried: string[] = [];
  readonly givenUp: string[] = [];
  readonly closed: string[] = [];
  readonly closedOne: Promise<void>;
  finishLate: () => void = () => {};
  #closedOne = () => {};
  readonly #behaviours: Record<string, Behaviour>;
  #waiting: [count: number, done: () => void] | undefined;

  constructor(behaviours: Record<string, Behaviour>) {
    this.#behaviours = behaviours;
    this.closedOne = new Promise((resolve) => this.#closedOne = resolve);
  }

  connect(
    addresses: readonly string[],
    options: Partial<AnyAddress<string>> = {},
  ): Promise<string> {
    return connectToAny({
      addresses,
      port: 80,
      connect: (address, signal) => this.#try(address, signal),
      close: (address) => {
        this.closed.push(address);
        this.#closedOne();
      },
      isFinal: (error) => error instanceof Deno.errors.NotCapable,
      failed: this.failed,
      signal: new AbortController().signal,
      timeout: undefined,
      ...options,
    });
  }

  /** Waits until so many tries have begun. */
  started(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting = [count, resolve]);
  }

  #try(address: string, signal: AbortSignal): Promise<string> {
    this.tried.push(address);
    if (this.tried.length === this.#waiting?.[0]) this.#waiting[1]();
    const behaviour = this.#behaviours[address] ?? "silent";
    if (behaviour === "good") return Promise.resolve(address);
    if (behaviour === "refuses") return Promise.reject(REFUSED);
    if (behaviour === "final") {
      return Promise.reject(new Deno.errors.NotCapable("not allowed"));
    }
    return new Promise((resolve, reject) => {
      if (behaviour === "late") {
        this.finishLate = () => resolve(address);
        return;
      }
      signal.addEventListener("abort", () => {
        this.givenUp.push(address);
        reject(signal.reason);
      });
    });
  }
}
