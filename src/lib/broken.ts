/**
 * Rules that values break: what is wrong, with which value, and where.
 *
 * @module
 */

/** The way from a value to a part of it: keys and positions. */
export type Way = readonly (string | number)[];

/** A rule that a value breaks. */
export class Broken {
  /** The rule, such as `must be a whole number from 1 to 1024`. */
  readonly rule: string;
  /** The value that breaks it. */
  readonly value: unknown;
  /** The way from the value that was read to that one. */
  readonly path: Way;
  /** If the rule is that the key is not known: all keys that are. */
  readonly known: readonly string[] | undefined;
  /** Rules that other parts of the same object or list break. */
  readonly others: readonly Broken[];

  /**
   * @param rule The rule, such as `must be 1 or 2`.
   * @param value The value that breaks it.
   * @param path The way to that value; empty if it is the one that was read.
   * @param known All keys that are known, if that of the value is not.
   * @param others Rules that other parts break.
   */
  constructor(
    rule: string,
    value: unknown,
    path: Way = [],
    known: readonly string[] | undefined = undefined,
    others: readonly Broken[] = [],
  ) {
    this.rule = rule;
    this.value = value;
    this.path = path;
    this.known = known;
    this.others = others;
  }

  /**
   * Makes one of several, such as all that is broken in a list.
   *
   * @param all At least one.
   */
  static ofAll(all: readonly Broken[]): Broken {
    const [first, ...others] = all.flatMap((one) => one.all);
    if (first === undefined) throw new TypeError("nothing is broken");
    const { rule, value, path, known } = first;
    return new Broken(rule, value, path, known, others);
  }

  /** This one, then the others. */
  get all(): readonly Broken[] {
    return [this, ...this.others];
  }

  /**
   * The same, as seen from the object or list that the value is in.
   *
   * @param key The key or position of the value there.
   */
  in(key: string | number): Broken {
    const { rule, value, path, known, others } = this;
    const outer = others.map((other) => other.in(key));
    return new Broken(rule, value, [key, ...path], known, outer);
  }

  /** The path as it is written in JavaScript, such as `members[0].weight`. */
  get name(): string {
    return nameOf(this.path);
  }

  /** The name in quotes, and the rule, in which names are in quotes, too. */
  get sentence(): string {
    const { name, rule, known, path } = this;
    if (known === undefined) return `"${name}" ${rule}`;
    const names = known.map((key) =>
      `"${nameOf([...path.slice(0, -1), key])}"`
    );
    return `"${name}" ${unknownKey(`"${name}"`, names)}`;
  }
}

function nameOf(path: Way): string {
  return path.map((key, index) =>
    typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`
  ).join("");
}

/**
 * Says what is wrong with a key that is not known: options have other names in
 * other places, and the original wrote `connect_timeout`.
 *
 * @param key The key.
 * @param known All keys that there are.
 * @returns The rule: the name of the key that was probably meant, or all.
 */
export function unknownKey(key: string, known: readonly string[]): string {
  const plain = (name: string) => name.replaceAll(/[-_]/g, "").toLowerCase();
  const meant = known.find((name) => plain(name) === plain(key));
  return meant === undefined
    ? `is not one of ${known.join(", ")}`
    : `is written ${meant}`;
}
