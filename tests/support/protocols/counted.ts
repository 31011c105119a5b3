/**
 * Bytes that count how often they are looked at, to test how much work a
 * parser does.
 *
 * @module
 */

/** Bytes, and how many looks at them there were. */
export interface CountedBytes {
  /** To be given to a parser. */
  readonly bytes: Uint8Array;
  /** Looks so far: one for each byte that was read, copied or searched. */
  readonly looks: number;
}

/** Methods that go over bytes only from the first of their arguments on. */
const FROM_START: ReadonlySet<string> = new Set([
  "indexOf",
  "includes",
  "lastIndexOf",
  "fill",
]);

/**
 * Counts the looks at bytes. A part that is taken (`subarray`, `slice`) counts
 * as looked at as a whole, as it is no longer watched.
 */
export function countLooks(content: Uint8Array): CountedBytes {
  let looks = 0;
  const bytes = new Proxy(content, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) {
        looks++;
        return target[Number(key)];
      }
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const result: unknown = value.apply(target, args);
        if (result instanceof Uint8Array) looks += result.length;
        else if (FROM_START.has(String(key))) {
          const from = Number(args[1] ?? 0);
          const found = typeof result === "number" && result >= 0;
          looks += (found ? result + 1 : target.length) - from;
        } else looks += target.length;
        return result;
      };
    },
  });
  return {
    bytes,
    get looks() {
      return looks;
    },
  };
}
