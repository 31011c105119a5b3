/** Builds messages as the specifications describe them. */

/**
 * A part of a message: a byte, text in which each character is one byte, or
 * bytes.
 */
export type Part = number | string | Uint8Array;

/** The parts one behind the other. */
export function bytes(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    if (typeof part !== "string") return [...part];
    return Array.from(part, (character) => character.charCodeAt(0));
  }));
}

/** An unsigned integer of `size` bytes, most significant first. */
export function uint(size: number, value: number): Uint8Array {
  return bytes(
    ...Array.from(
      { length: size },
      (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256,
    ),
  );
}

/** The parts behind their length, a number of `size` bytes. */
export function sized(size: number, ...parts: readonly Part[]): Uint8Array {
  const content = bytes(...parts);
  return bytes(uint(size, content.length), content);
}

/** UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes from hexadecimal digits; space is ignored. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.from(
    digits.replace(/\s/g, "").match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}

/** A TLS extension. */
export function extension(type: number, ...parts: readonly Part[]): Uint8Array {
  return bytes(uint(2, type), sized(2, ...parts));
}

/** The extension that names the server. */
export function serverName(...names: readonly string[]): Uint8Array {
  return extension(
    0,
    sized(2, ...names.map((name) => bytes(0, sized(2, name)))),
  );
}

/** The extension that lists application protocols. */
export function alpn(...protocols: readonly string[]): Uint8Array {
  return extension(
    16,
    sized(2, ...protocols.map((protocol) => sized(1, protocol))),
  );
}

/** The extension that lists versions. */
export function supportedVersions(...versions: readonly number[]): Uint8Array {
  return extension(
    43,
    sized(1, ...versions.map((version) => uint(2, version))),
  );
}

/** The extension that fills a hello up. */
export function padding(length: number): Uint8Array {
  return extension(21, new Uint8Array(length));
}

/** A ClientHello message without its record; `null` = no list of extensions. */
export function helloMessage(
  extensions: readonly Uint8Array[] | null,
  { version = 0x0303 }: { version?: number } = {},
): Uint8Array {
  return bytes(
    1,
    sized(
      3,
      uint(2, version),
      new Uint8Array(32).fill(0x5a),
      sized(1, new Uint8Array(32).fill(0xa5)),
      sized(2, 0x13, 0x01, 0x13, 0x02),
      sized(1, 0),
      extensions === null ? "" : sized(2, ...extensions),
    ),
  );
}

/**
 * The message in TLS records, cut behind each of the given numbers of bytes.
 */
export function records(
  message: Uint8Array,
  ...cuts: readonly number[]
): Uint8Array {
  const starts = [0, ...cuts];
  return bytes(
    ...starts.map((start, i) =>
      bytes(0x16, 3, 1, sized(2, message.subarray(start, starts[i + 1])))
    ),
  );
}

/** A ClientHello in one record. */
export function clientHello(...extensions: readonly Uint8Array[]): Uint8Array {
  return records(helloMessage(extensions));
}

/** What an HTTP/2 client sends first. */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** An HTTP/2 frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  ...payload: readonly Part[]
): Uint8Array {
  const content = bytes(...payload);
  return bytes(uint(3, content.length), type, flags, uint(4, stream), content);
}

/** Preface, empty SETTINGS, and these frames. */
export function http2Connection(...frames: readonly Uint8Array[]): Uint8Array {
  return bytes(PREFACE, frame(4, 0, 0), ...frames);
}

/** An HPACK field that is sent as it is and not added to the table. */
export function plainField(name: string, value: string): Uint8Array {
  return bytes(0, sized(1, name), sized(1, value));
}

/** A `pkt-line` of Git. */
export function pktLine(text: string): Uint8Array {
  return bytes((text.length + 4).toString(16).padStart(4, "0"), text);
}

/** A message of a PostgreSQL client before the session. */
export function postgresMessage(
  code: number,
  ...parts: readonly Part[]
): Uint8Array {
  const content = bytes(...parts);
  return bytes(uint(4, content.length + 8), uint(4, code), content);
}

/** A number of 7 bits a byte, least significant first. */
export function varint(value: number): Uint8Array {
  const parts: number[] = [];
  let rest = value >>> 0;
  for (; rest > 127; rest >>>= 7) parts.push(rest & 127 | 128);
  return bytes(...parts, rest);
}

/** An MQTT CONNECT packet. */
export function mqttConnect(...parts: readonly Part[]): Uint8Array {
  const content = bytes(...parts);
  return bytes(0x10, varint(content.length), content);
}

/** A Redis command as an array of strings. */
export function resp(...words: readonly string[]): Uint8Array {
  const strings = words.map((word) => {
    const content = utf8(word);
    return bytes(`$${content.length}\r\n`, content, "\r\n");
  });
  return bytes(`*${words.length}\r\n`, ...strings);
}

/** A name in a DNS message. */
export function dnsName(name: string): Uint8Array {
  return bytes(
    ...name.split(".").filter(Boolean).map((label) => sized(1, label)),
    0,
  );
}

/** A DNS question for records of class IN. */
export function question(name: string, type: number): Uint8Array {
  return bytes(dnsName(name), uint(2, type), uint(2, 1));
}

/** A DNS message behind its length. */
export function dnsMessage(
  questions: readonly Uint8Array[],
  records: readonly Uint8Array[] = [],
  { id = 0x1234, flags = 0x0120 }: { id?: number; flags?: number } = {},
): Uint8Array {
  const counts = [questions.length, 0, 0, records.length];
  return sized(
    2,
    uint(2, id),
    uint(2, flags),
    ...counts.map((count) => uint(2, count)),
    ...questions,
    ...records,
  );
}

/** A connection request of RDP. */
export function rdpRequest(...parts: readonly Part[]): Uint8Array {
  const content = bytes(...parts);
  return bytes(
    3,
    0,
    uint(2, content.length + 11),
    content.length + 6,
    0xe0,
    0,
    0,
    0,
    0,
    0,
    content,
  );
}

/** A Minecraft handshake. */
export function minecraftHandshake(
  host: string,
  { version = 765, port = 25_565, state = 2 }: {
    version?: number;
    port?: number;
    state?: number;
  } = {},
): Uint8Array {
  const name = utf8(host);
  const content = bytes(
    0,
    varint(version),
    varint(name.length),
    name,
    uint(2, port),
    state,
  );
  return bytes(varint(content.length), content);
}

/** A PROXY header of version 2. */
export function proxyV2(
  command: number,
  family: number,
  ...parts: readonly Part[]
): Uint8Array {
  return bytes(
    "\r\n\r\n\0\r\nQUIT\n",
    0x20 | command,
    family,
    sized(2, ...parts),
  );
}
