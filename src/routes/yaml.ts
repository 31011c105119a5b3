/**
 * Reading YAML such that each value's line is known. For the main thread only.
 *
 * @module
 */
import {
  constructFromEvents,
  type Event,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  YAMLException,
} from "js-yaml";
import { messageOf } from "../lib/errors.ts";

/** How many values a file may have when every alias is written out. */
const MAX_VALUES = 1_000_000;

/** A file that cannot be read as YAML. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  /** The line, from 1. */
  readonly line: number;

  /**
   * @param message Why not.
   * @param line The line, from 1.
   */
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** A value in the file, and where it is. */
export interface Place {
  /** The line of its key or, in a list, of its first character; from 1. */
  readonly line: number;
  /** What is in it, by key or by position. */
  readonly entries: ReadonlyMap<string | number, Place>;
}

/** A file that was read. */
export interface YamlFile {
  /** Plain data. */
  readonly value: unknown;
  /** Where everything is. */
  readonly place: Place;
}

/**
 * Reads YAML 1.2, one document.
 *
 * @param source The text.
 * @returns Its value, and where each part of it is.
 * @throws {YamlError} If it is not YAML, has two equal keys in a mapping, or
 * grows beyond all bounds by its aliases.
 */
export function readYaml(source: string): YamlFile {
  try {
    const events = parseEvents(source, {});
    const place = locate(source, events);
    const [value, another] = constructFromEvents(events, { source });
    if (another !== undefined) {
      throw new YamlError("must be one document: there is a second ---", 1);
    }
    return { value, place };
  } catch (error) {
    if (error instanceof YamlError) throw error;
    if (error instanceof YAMLException) {
      throw new YamlError(
        `must be YAML: ${error.reason}`,
        (error.mark?.line ?? 0) + 1,
      );
    }
    throw new YamlError(`must be YAML: ${messageOf(error)}`, 1);
  }
}

/** A place while what is in it is still being read. */
interface Open {
  line: number;
  readonly entries: Map<string | number, Place>;
  /** The key whose value comes next; `undefined`: a key comes next. */
  key: string | undefined;
  /** How many values it has with all aliases written out. */
  size: number;
}

/** Follows the events as the values are made of them, and notes the lines. */
function locate(source: string, events: readonly Event[]): Place {
  const places = new Places(source);
  for (const event of events) places.follow(event);
  return places.root;
}

/** The places of values, as far as events have been followed. */
class Places {
  readonly #source: string;
  readonly #lineAt: (offset: number) => number;
  readonly #document: Open = open(1);
  /** The lists and mappings that have not ended. */
  readonly #stack: {
    place: Open;
    kind: "list" | "mapping";
    anchor: string;
  }[] = [];
  readonly #anchors = new Map<string, Open>();

  constructor(source: string) {
    this.#source = source;
    this.#lineAt = lineCounter(source);
  }

  /** The place of the value of the document. */
  get root(): Place {
    return this.#document.entries.get(0) ?? this.#document;
  }

  follow(event: Event): void {
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const place = open(this.#lineAt(event.valueStart));
        this.#put(place, getScalarValue(this.#source, event));
        return this.#end(place, anchorOf(this.#source, event));
      }
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const place = open(this.#lineAt(event.start));
        this.#put(place, undefined);
        const kind = event.type === EVENT_ID.MAPPING ? "mapping" : "list";
        const anchor = anchorOf(this.#source, event);
        this.#stack.push({ place, kind, anchor });
        return;
      }
      case EVENT_ID.ALIAS:
        return this.#followAlias(
          anchorOf(this.#source, event),
          this.#lineAt(event.anchorStart),
        );
      case EVENT_ID.POP: {
        const ended = this.#stack.pop();
        if (ended === undefined) return; // of the document
        this.#end(ended.place, ended.anchor);
      }
    }
  }

  #followAlias(name: string, line: number): void {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw new YamlError(
        `must have an anchor &${name} that ends before its alias *${name}`,
        line,
      );
    }
    this.#put({ ...target, line }, name);
    this.#grow(target.size, line);
  }

  /** Puts a value into the list or mapping that it is in. */
  #put(place: Open, keyText: string | undefined): void {
    const parent = this.#stack.at(-1);
    const into = parent?.place ?? this.#document;
    if (parent?.kind !== "mapping") {
      into.entries.set(into.entries.size, place);
      return;
    }
    if (into.key === undefined) {
      into.key = keyText ?? "";
      // the line of a value is that of its key
      into.entries.set(into.key, place);
      return;
    }
    place.line = into.entries.get(into.key)?.line ?? place.line;
    into.entries.set(into.key, place);
    into.key = undefined;
  }

  /** A value has been read as a whole. */
  #end(place: Open, anchor: string): void {
    if (anchor !== "") this.#anchors.set(anchor, place);
    this.#grow(place.size, place.line);
  }

  #grow(size: number, line: number): void {
    const into = this.#stack.at(-1)?.place ?? this.#document;
    into.size += size;
    if (into.size > MAX_VALUES) {
      throw new YamlError(
        `must have at most ${MAX_VALUES} values with all aliases written out`,
        line,
      );
    }
  }
}

function open(line: number): Open {
  return { line, entries: new Map(), key: undefined, size: 1 };
}

function anchorOf(
  source: string,
  { anchorStart, anchorEnd }: { anchorStart: number; anchorEnd: number },
): string {
  return anchorStart < 0 ? "" : source.slice(anchorStart, anchorEnd);
}

/** Counts lines; places are asked for in order, more or less. */
function lineCounter(source: string): (offset: number) => number {
  const starts = [0];
  for (const { index } of source.matchAll(/\n/g)) starts.push(index + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
