/**
 * What is said about an option, in one row.
 *
 * @module
 */
import type { Kind } from "../lib/kinds.ts";

/** What the value of an option must be, and how `--check` writes it. */
export interface OptionKind<T> extends Kind<T> {
  /** Whether 0 stands for no limit. */
  readonly zero?: true;
  /** Writes a value; `undefined` if it means that there is no limit. */
  show(value: T): string | undefined;
}

/** The parts of the options that are handed over as a whole. */
export type Part = "connection" | "addresses" | "grants" | "listener";

/** One option. */
export interface Option {
  /** The long name, without its dashes. */
  readonly name: string;
  /** The letter of the short name. */
  readonly short?: string;
  /** What the value is called; without it, the option takes none. */
  readonly argument?: string;
  /**
   * What the value must be, and what it is read as. With it and a key, the
   * option needs no code but where it is used; the few without are put together
   * from several: listeners and the admin server.
   */
  readonly kind?: OptionKind<unknown>;
  /** Its name among the options of the program, and in a route table. */
  readonly key?: string;
  /** The part of the options that it is in; without it, it is in none. */
  readonly part?: Part;
  /** A route table cannot set it. */
  readonly commandLineOnly?: true;
  /** The value if nothing sets it, as it is written on the command line. */
  readonly default?: string;
  /** That value itself, if it cannot be written there. */
  readonly initial?: unknown;
  /** What holds if nothing sets it, in words, as it depends on the machine. */
  readonly unset?: string;
  /** What 0 means, for a kind in which it stands for no limit. */
  readonly none?: string;
  /** The line of `--check` that it is in, and what is between it and others. */
  readonly check?: { readonly title: string; readonly join?: string };
  /** The value is a list that can be left out, which means everything. */
  readonly list?: true;
  /** What an item of the list is called in messages. */
  readonly each?: string;
  /** If it is repeated, its values are one list, with commas between. */
  readonly many?: true;
  /** Words that the value may be. */
  readonly words?: readonly string[];
  /** The value may be the path of a file or folder. */
  readonly path?: true;
  /**
   * Each listener has it for itself: it can be given once more for another one,
   * and holds for all listeners if it stands in front of them.
   */
  readonly listener?: true;
  /** What it does, in plain words, without the default. */
  readonly help: string;
}

/** Options that belong together. */
export interface Section {
  /** The heading, without a colon. */
  readonly title: string;
  /** What holds for all of them. */
  readonly note?: string;
  /**
   * The column at which `--help` begins the texts.
   *
   * @default 31
   */
  readonly column?: number;
  readonly options: readonly Option[];
}

/** What an option does and what its default is, in clauses with `; ` between. */
export function helpOf(option: Option): string {
  const { help, kind, unset, none = "no limit", argument } = option;
  const zero = kind?.zero ? `0: ${none}` : undefined;
  const clauses = [help];
  if (zero !== undefined && option.default !== "0") clauses.push(zero);
  if (unset !== undefined) clauses.push(`default: ${unset}`);
  if (option.default !== undefined && argument !== undefined) {
    const isZero = option.default === "0" && zero !== undefined;
    clauses.push(`default ${isZero ? zero : option.default}`);
  }
  return clauses.join("; ");
}

/** Where a route table sets an option, such as `allow.net`. */
export function tableKey(
  { key, part, commandLineOnly }: Option,
): string | undefined {
  if (key === undefined || commandLineOnly) return undefined;
  if (part === "grants") return `allow.${key}`;
  return part === "listener" ? `listen.${key}` : key;
}
