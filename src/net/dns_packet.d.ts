/**
 * What is used of the npm package dns-packet 5.6, which has no types of its own.
 * (`@types/dns-packet` brings those of Node.js, which differ from the runtime's.)
 */

/** A record of a type that is read here; others have other data. */
export type Record =
  & { readonly name: string; readonly ttl?: number }
  & (
    | { readonly type: "A" | "AAAA" | "CNAME"; readonly data: string }
    | {
      readonly type: "SRV";
      readonly data: {
        readonly priority?: number;
        readonly weight?: number;
        readonly port: number;
        readonly target: string;
      };
    }
    | { readonly type: "SOA"; readonly data: { readonly minimum?: number } }
  );

/** A question. */
export interface Question {
  readonly name: string;
  readonly type: string;
}

/** The pseudo-record of EDNS (RFC 6891). */
export interface OptRecord {
  readonly type: "OPT";
  readonly name: ".";
  readonly udpPayloadSize: number;
  readonly extendedRcode: number;
  readonly ednsVersion: number;
  readonly flags: number;
  readonly options: readonly never[];
}

/** A message to encode. */
export interface Message {
  readonly type: "query" | "response";
  readonly id: number;
  readonly flags: number;
  readonly questions: readonly Question[];
  readonly answers?: readonly Record[];
  readonly additionals?: readonly OptRecord[];
}

/** A message that was decoded. */
export interface Packet {
  readonly id: number;
  /** It is an answer. */
  readonly flag_qr: boolean;
  /** It was cut short. */
  readonly flag_tc: boolean;
  /** Such as `NOERROR`. */
  readonly rcode: string;
  readonly questions: readonly Question[];
  readonly answers: readonly Record[];
  readonly authorities: readonly Record[];
  readonly additionals: readonly Record[];
}

declare const dnsPacket: {
  readonly RECURSION_DESIRED: number;
  readonly RECURSION_AVAILABLE: number;
  readonly TRUNCATED_RESPONSE: number;
  /** @param bytes A `Buffer`. @throws What is no message. */
  decode(bytes: Uint8Array): Packet;
  encode(message: Message): Uint8Array;
};
export default dnsPacket;
