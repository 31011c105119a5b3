/**
 * Matches compiled into functions. An answer is one of three: yes, no, or more
 * bytes are needed; `all`, `any` and `not` combine them as Kleene's logic does.
 *
 * @module
 */
import { contains, type Network, parseIp } from "../net/cidr.ts";
import type { Client } from "../router/contract.ts";
import type { Preread } from "../router/preread.ts";
import { literalPrefix, matches } from "./pattern.ts";
import { type ProtocolName, PROTOCOLS, readField } from "./protocols.ts";
import type { BytesMatch, FieldMatch, Match } from "./route_table.ts";

/** No, whatever follows. */
export const NO = -1;
/** Only more bytes can tell. */
export const MORE = 0;
/** Yes. */
const YES = 1;

/** What a matcher answers. */
export type Answer = typeof NO | typeof MORE | typeof YES;

/** A compiled match. */
type Matcher = (call: Call) => Answer;

/** Not asked yet. */
const UNASKED = Symbol();

/** One call of `route`: each parser runs once at most. */
export class Call {
  /** What was read so far. */
  readonly data: Preread;
  /** The client. */
  readonly client: Client;
  /** No more bytes can come: what needs more does not match. */
  readonly ended: boolean;
  readonly #parsed = new Map<ProtocolName, object | null | undefined>();
  #address: Uint8Array | undefined | typeof UNASKED = UNASKED;

  /** @param ended Whether no more bytes can come. */
  constructor(data: Preread, client: Client, ended = false) {
    this.data = data;
    this.client = client;
    this.ended = ended;
  }

  /** What a parser makes of the bytes. */
  parse(protocol: ProtocolName): object | null | undefined {
    const known = this.#parsed.get(protocol);
    if (known !== undefined || this.#parsed.has(protocol)) return known;
    const message = PROTOCOLS[protocol].parse(this.data);
    this.#parsed.set(protocol, message);
    return message;
  }

  /** The client's IP address; `undefined` if it has none, as on a socket file. */
  get address(): Uint8Array | undefined {
    if (this.#address === UNASKED) {
      const { remoteAddr } = this.client;
      this.#address = remoteAddr.transport === "tcp"
        ? parseIp(remoteAddr.hostname)
        : undefined;
    }
    return this.#address;
  }
}

/** Compiles a match. */
export function compileMatch(match: Match): Matcher {
  switch (match.kind) {
    case "always":
      return () => YES;
    case "all":
      return all(match.of.map(compileMatch));
    case "any":
      return any(match.of.map(compileMatch));
    case "not": {
      const matcher = compileMatch(match.of);
      return (call) => 0 - matcher(call) as Answer;
    }
    case "protocol": {
      const { protocol } = match;
      return (call) => {
        const message = call.parse(protocol);
        return message ? YES : message === null ? NO : MORE;
      };
    }
    case "field":
      return fieldMatcher(match);
    case "bytes":
      return bytesMatcher(match);
    case "client":
      return clientMatcher(match.networks);
    case "localPort": {
      const ports = new Set(match.ports);
      return ({ client: { localAddr } }) =>
        localAddr.transport === "tcp" && ports.has(localAddr.port) ? YES : NO;
    }
    case "agreed": {
      const { field, patterns } = match;
      return ({ client: { tls } }) => {
        const value = tls?.[field];
        return value !== undefined &&
            patterns.some((pattern) => matches(pattern, value))
          ? YES
          : NO;
      };
    }
    case "listener": {
      const { patterns } = match;
      return ({ client }) =>
        patterns.some((pattern) => matches(pattern, client.listener))
          ? YES
          : NO;
    }
  }
}

function all(matchers: readonly Matcher[]): Matcher {
  return (call) => {
    let answer: Answer = YES;
    for (const matcher of matchers) {
      const one = matcher(call);
      if (one === NO) return NO;
      if (one === MORE) answer = MORE;
    }
    return answer;
  };
}

function any(matchers: readonly Matcher[]): Matcher {
  return (call) => {
    let answer: Answer = NO;
    for (const matcher of matchers) {
      const one = matcher(call);
      if (one === YES) return YES;
      if (one === MORE) answer = MORE;
    }
    return answer;
  };
}

function fieldMatcher(match: FieldMatch): Matcher {
  const { protocol, field, key, patterns } = match;
  return (call) => {
    const message = call.parse(protocol);
    if (!message) return message === null ? NO : MORE;
    const value = readField(message, field, key);
    if (value === undefined) return NO;
    const found = typeof value === "string"
      ? patterns.some((pattern) => matches(pattern, value))
      : value.some((one) => patterns.some((pattern) => matches(pattern, one)));
    return found ? YES : NO;
  };
}

function clientMatcher(networks: readonly Network[]): Matcher {
  return (call) => {
    const { address } = call;
    return address !== undefined &&
        networks.some((network) => contains(network, address))
      ? YES
      : NO;
  };
}

function bytesMatcher({ prefix, regex, within }: BytesMatch): Matcher {
  const matchers: Matcher[] = [];
  if (prefix !== undefined) {
    matchers.push(({ data }) => startsWith(data.bytes, prefix));
  }
  if (regex !== undefined) {
    const literal = Uint8Array.from(
      literalPrefix(regex),
      (character) => character.charCodeAt(0),
    );
    matchers.push(({ data }) => {
      if (startsWith(data.bytes, literal) === NO) return NO;
      const text = within === undefined
        ? data.text
        : data.text.slice(0, within);
      if (regex.test(text)) return YES;
      return within !== undefined && data.length >= within ? NO : MORE;
    });
  }
  return all(matchers);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): Answer {
  const length = Math.min(bytes.length, prefix.length);
  for (let i = 0; i < length; i++) {
    if (bytes[i] !== prefix[i]) return NO;
  }
  return length === prefix.length ? YES : MORE;
}

/** Tells whether a match can only wait before the first byte has come. */
export function needsBytes(match: Match): boolean {
  switch (match.kind) {
    case "all":
    case "any":
      return match.of.every(needsBytes);
    case "not":
      return needsBytes(match.of);
    default:
      return ["protocol", "field", "bytes"].includes(match.kind);
  }
}
