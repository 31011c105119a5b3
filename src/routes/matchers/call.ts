/**
 * What a match is asked about: one call of `route`.
 *
 * @module
 */
import { parseIp } from "../../net/cidr.ts";
import type { Client } from "../../router/contract.ts";
import type { Preread } from "../../router/preread.ts";
import { type ProtocolName, PROTOCOLS } from "./protocols.ts";

/** No, whatever follows. */
export const NO = -1;
/** Only more bytes can tell. */
export const MORE = 0;
/** Yes. */
export const YES = 1;

/** Whether a match is for a client, as far as its bytes tell. */
export type Matched = typeof NO | typeof MORE | typeof YES;

/** Not asked yet. */
const UNASKED = Symbol();

/** One call of `route`: each parser runs once at most. */
export class Call {
  /** What was read so far. */
  readonly data: Preread;
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
