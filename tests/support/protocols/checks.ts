import {
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import * as protocols from "proxymachine/protocols";
import type { Input, Parser } from "proxymachine/protocols";

/** All parsers by name. */
export const parsers = {
  amqp: protocols.amqp,
  dns: protocols.dns,
  git: protocols.git,
  http: protocols.http,
  http2: protocols.http2,
  imapCommand: protocols.imapCommand,
  ldap: protocols.ldap,
  minecraft: protocols.minecraft,
  mqtt: protocols.mqtt,
  mysqlResponse: protocols.mysqlResponse,
  openvpn: protocols.openvpn,
  postgres: protocols.postgres,
  proxyProtocol: protocols.proxyProtocol,
  rdp: protocols.rdp,
  redis: protocols.redis,
  smtpCommand: protocols.smtpCommand,
  socks4: protocols.socks4,
  socks5: protocols.socks5,
  socks5Credentials: protocols.socks5Credentials,
  socks5Request: protocols.socks5Request,
  ssh: protocols.ssh,
  tls: protocols.tls,
  xmpp: protocols.xmpp,
} satisfies Record<string, Parser<object>>;

/** The name of a parser. */
export type ParserName = keyof typeof parsers;

/** The names of all parsers. */
export const parserNames = Object.keys(parsers) as ParserName[];

/**
 * The parsers that can tell their protocol from all others; the rest read what
 * is due at a certain place.
 */
export const guessing: readonly ParserName[] = parserNames.filter((name) =>
  ![
    "imapCommand",
    "mysqlResponse",
    "proxyProtocol",
    "smtpCommand",
    "socks5Credentials",
    "socks5Request",
  ].includes(name)
);

/** A message that one parser understands. */
export interface Sample {
  /** What it is. */
  readonly name: string;
  /** The parser. */
  readonly parser: ParserName;
  /** The message; its last byte is the one that decides. */
  readonly bytes: Uint8Array;
  /** What the parser returns; headers as a plain object. */
  readonly value: unknown;
}

/** Short for a {@linkcode Sample}. */
export function sample(
  parser: ParserName,
  name: string,
  message: Uint8Array,
  value: unknown,
): Sample {
  return { parser, name, bytes: message, value };
}

/**
 * Where a parser does not refuse the message of another one, as nothing else
 * would be right.
 */
export const indistinguishable: Partial<
  Record<
    ParserName,
    Partial<Record<ParserName, readonly ("value" | "waits")[]>>
  >
> = {
  // The ping of old clients has two bytes, which may be the length of a message.
  minecraft: { dns: ["waits"] },
  // A greeting has three bytes or little more. Those may also be the length and
  // the number of a DNS message.
  socks5: { dns: ["waits"] },
  // Without a user and a password it has three bytes, too.
  socks5Credentials: { dns: ["waits"] },
  // The request comes later in the same dialogue; its first bytes are a
  // greeting, with 240 methods if the command is Tor's.
  socks5Request: { socks5: ["value", "waits"] },
};

/**
 * A value of a parser in a form that can be compared: headers become a plain
 * object.
 */
export function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("headers" in value)) {
    return value;
  }
  return {
    ...value,
    headers: Object.fromEntries(value.headers as Iterable<[string, string]>),
  };
}

/** What a parser says, in one word or as the value. */
export function answer(parser: ParserName, data: Input): unknown {
  const value = parsers[parser](data);
  if (value === null) return "not this protocol";
  return value === undefined ? "needs more" : plain(value);
}

/**
 * Asserts all that has to hold for a message and the parser that understands
 * it.
 */
export function assertConforms(sample: Sample): void {
  assertDecidesAtLastByte(sample);
  assertIndependentOfTheRest(sample);
  assertKeepsNoReference(sample);
  assertOtherParsersRefuse(sample);
}

/**
 * Asserts that a parser waits until it has a value, which then stays, and does
 * not change the bytes.
 */
export function assertEveryPrefix(
  parser: ParserName,
  bytes: Uint8Array,
  value: unknown,
): void {
  const before = bytes.slice();
  let hasDecided = false;
  for (let length = 0; length <= bytes.length; length++) {
    const got = parsers[parser](bytes.subarray(0, length));
    const where = `${parser}() of the first ${length} of ${bytes.length} bytes`;
    assertNotStrictEquals(got, null, where);
    if (got === undefined) assertStrictEquals(hasDecided, false, where);
    else assertEquals(plain(got), value, where);
    hasDecided ||= got !== undefined;
  }
  assertStrictEquals(hasDecided, true, `${parser}() has no answer`);
  assertEquals(bytes, before, `${parser}() changed the bytes`);
}

/** Asserts that the last byte is the one at which the parser has the value. */
function assertDecidesAtLastByte({ parser, bytes, value }: Sample): void {
  const allButOne = bytes.subarray(0, -1);
  assertStrictEquals(
    parsers[parser](allButOne),
    undefined,
    "it decides too early",
  );
  assertEveryPrefix(parser, bytes, value);
}

/** Neither bytes behind the message nor its place in a buffer matter. */
function assertIndependentOfTheRest({ parser, bytes, value }: Sample): void {
  for (
    const tail of [
      [0],
      [0xff, 0xff],
      [0x0a],
      [...bytes],
      new Array<number>(70_000).fill(0x41),
    ]
  ) {
    const buffer = new Uint8Array(5 + bytes.length + tail.length).fill(0x16);
    buffer.set(bytes, 5);
    buffer.set(tail, 5 + bytes.length);
    assertEquals(answer(parser, { bytes: buffer.subarray(5) }), value);
    assertEquals(
      answer(parser, buffer.subarray(5, 5 + bytes.length)),
      value,
    );
  }
}

/** A value stays what it is when the buffer is used again. */
function assertKeepsNoReference({ parser, bytes, value }: Sample): void {
  const buffer = bytes.slice();
  const got = parsers[parser](buffer);
  buffer.fill(0x2a);
  assertEquals(plain(got), value);
}

function assertOtherParsersRefuse({ parser, bytes }: Sample): void {
  for (const other of guessing) {
    if (other === parser) continue;
    const got = parsers[other](bytes);
    const word = got === null
      ? "refuses"
      : got === undefined
      ? "waits"
      : "value";
    const expected: readonly string[] = indistinguishable[parser]?.[other] ??
      [];
    if (!expected.includes(word)) {
      assertStrictEquals(word, "refuses", `${other}() of ${parser}`);
    }
  }
}

/**
 * Asserts that as bytes are added, the parser first needs more, and then has
 * one answer that stays.
 *
 * @param lengths The prefixes to try; all by default.
 */
export function assertMonotone(
  parser: ParserName,
  bytes: Uint8Array,
  lengths: readonly number[] = Array.from(
    { length: bytes.length + 1 },
    (_, i) => i,
  ),
): void {
  let decided: unknown;
  for (const length of lengths) {
    const got = parsers[parser](bytes.subarray(0, length));
    if (decided === undefined) decided = plain(got);
    else {assertEquals(
        plain(got),
        decided,
        `${parser}() of ${length} bytes`,
      );}
  }
}

/**
 * Asserts that the last byte is the one at which the parser can know that this
 * is not its protocol.
 */
export function assertRefusedAtLastByte(
  parser: ParserName,
  bytes: Uint8Array,
): void {
  for (let length = 0; length < bytes.length; length++) {
    const got = parsers[parser](bytes.subarray(0, length));
    assertEquals(
      got,
      undefined,
      `${parser}() of the first ${length} of ${bytes.length} bytes`,
    );
  }
  assertEquals(
    parsers[parser](bytes),
    null,
    `${parser}() of all ${bytes.length} bytes`,
  );
  assertEquals(parsers[parser](new Uint8Array([...bytes, ...bytes])), null);
}
