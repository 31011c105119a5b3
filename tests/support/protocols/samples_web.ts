import {
  alpn,
  bytes,
  clientHello,
  extension,
  frame,
  helloMessage,
  hex,
  http2Connection,
  padding,
  plainField,
  records,
  serverName,
  sized,
  supportedVersions,
  uint,
} from "./builders.ts";
import { type Sample, sample } from "./checks.ts";

/** Hellos of TLS. */
export function tlsSamples(): Sample[] {
  const full = helloMessage([
    extension(0x3a3a), // GREASE
    serverName("www.Example.com."),
    alpn("\x0a\x0a", "h2", "http/1.1"),
    supportedVersions(0x2a2a, 0x0304, 0x0303, 0x7f1c),
    padding(20),
  ]);
  const large = helloMessage([
    padding(5000), // about what post-quantum keys take
    serverName("large.example.com"),
    supportedVersions(0x0304),
  ]);
  const value = {
    serverName: "www.example.com",
    rawServerName: "www.Example.com.",
    alpn: ["\x0a\x0a", "h2", "http/1.1"],
    versions: ["TLSv1.3", "TLSv1.2", "0x7f1c"],
  };
  const largeValue = {
    serverName: "large.example.com",
    rawServerName: "large.example.com",
    alpn: [],
    versions: ["TLSv1.3"],
  };
  const old = { serverName: undefined, rawServerName: undefined, alpn: [] };
  const everyByte = Array.from({ length: full.length - 1 }, (_, i) => i + 1);
  return [
    sample("tls", "hello with everything", records(full), value),
    sample(
      "tls",
      "hello cut inside the handshake header",
      records(full, 1, 3),
      value,
    ),
    sample(
      "tls",
      "hello cut behind the handshake header",
      records(full, 4),
      value,
    ),
    sample(
      "tls",
      "hello cut inside the server name",
      records(full, 130, 131),
      value,
    ),
    sample(
      "tls",
      "hello with one byte per record",
      records(full, ...everyByte),
      value,
    ),
    sample("tls", "hello of 5 KiB", records(large), largeValue),
    sample(
      "tls",
      "hello of 5 KiB in four records",
      records(large, 2, 900, 4000),
      largeValue,
    ),
    sample("tls", "hello without extensions", records(helloMessage(null)), {
      ...old,
      versions: ["TLSv1.2"],
    }),
    sample(
      "tls",
      "hello with an empty list",
      records(helloMessage([], { version: 0x0301 })),
      {
        ...old,
        versions: ["TLSv1"],
      },
    ),
    sample(
      "tls",
      "hello of SSL 3",
      records(helloMessage(null, { version: 0x0300 })),
      {
        ...old,
        versions: ["SSLv3"],
      },
    ),
    sample(
      "tls",
      "hello with an unknown type of name",
      clientHello(
        extension(0, sized(2, 7, sized(2, "x\0y"), 0, sized(2, "A_b.example"))),
      ),
      {
        serverName: "a_b.example",
        rawServerName: "A_b.example",
        alpn: [],
        versions: ["TLSv1.2"],
      },
    ),
    sample(
      "tls",
      "hello that names an IPv6 address",
      clientHello(serverName("2001:DB8:0::1")),
      {
        serverName: "2001:db8::1",
        rawServerName: "2001:DB8:0::1",
        alpn: [],
        versions: ["TLSv1.2"],
      },
    ),
  ];
}

/** Requests of HTTP/1. */
export function httpSamples(): Sample[] {
  const request = {
    method: "GET",
    target: "/",
    path: "/",
    normalizedPath: "/",
    version: "1.1",
    host: undefined,
    port: undefined,
    headers: {},
  };
  const of = (name: string, text: string, value: object) =>
    sample("http", name, bytes(text), { ...request, ...value });
  return [
    of("shortest request", "GET / HTTP/1.0\r\n\r\n", { version: "1.0" }),
    of("bare LF", "GET / HTTP/1.1\nHost: a\n\n", {
      host: "a",
      headers: { host: "a" },
    }),
    of("LF at a low offset", "A / HTTP/1.1\n\n", { method: "A" }),
    of("empty line first", "\r\nGET / HTTP/1.1\r\n\r\n", {}),
    of("bare LF first", "\nGET / HTTP/1.1\r\n\r\n", {}),
    of(
      "host with port and trailing dot",
      "GET /a?b=//c HTTP/1.1\r\nhOST:\t Www.Example.COM.:8080 \r\n\r\n",
      {
        target: "/a?b=//c",
        path: "/a?b=//c",
        normalizedPath: "/a",
        host: "www.example.com",
        port: 8080,
        headers: { host: "Www.Example.COM.:8080" },
      },
    ),
    of("IPv6 host", "GET / HTTP/1.1\r\nHost: [2001:DB8::0:1]:81\r\n\r\n", {
      host: "2001:db8::1",
      port: 81,
      headers: { host: "[2001:DB8::0:1]:81" },
    }),
    of("empty host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", {
      headers: { host: "" },
    }),
    of(
      "absolute target that overrules the field",
      "GET http://Real.example:81?q HTTP/1.1\r\nHost: other.example:82\r\n\r\n",
      {
        target: "http://Real.example:81?q",
        path: "/?q",
        host: "real.example",
        port: 81,
        headers: { host: "other.example:82" },
      },
    ),
    of(
      "absolute target without path",
      "OPTIONS http://a.example HTTP/1.1\r\n\r\n",
      {
        method: "OPTIONS",
        target: "http://a.example",
        path: "*",
        normalizedPath: "*",
        host: "a.example",
      },
    ),
    of("asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {
      method: "OPTIONS",
      target: "*",
      path: "*",
      normalizedPath: "*",
      host: "a",
      headers: { host: "a" },
    }),
    of("tunnel", "CONNECT A.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", {
      method: "CONNECT",
      target: "A.example:443",
      path: "",
      normalizedPath: "",
      host: "a.example",
      port: 443,
      headers: { host: "b.example" },
    }),
    of(
      "fields that come twice, fold, or are empty",
      "PATCH /\xe9 HTTP/1.1\r\nX-A: 1\r\nx-b:  one \r\n\t two\r\n  \r\n three\t\r\nX-a: 2\r\n" +
        "Cookie: a=1\r\nEmpty:\r\nCookie: b=2\r\n__proto__: \xa0caf\xe9\r\n\r\n",
      {
        method: "PATCH",
        target: "/\xe9",
        path: "/\xe9",
        normalizedPath: "/\xe9",
        headers: Object.fromEntries([
          ["x-a", "1, 2"],
          ["x-b", "one two three"],
          ["cookie", "a=1; b=2"],
          ["empty", ""],
          ["__proto__", "\xa0caf\xe9"],
        ]),
      },
    ),
  ];
}

/** Connections of HTTP/2. */
export function http2Samples(): Sample[] {
  const request = {
    method: "GET",
    scheme: "http",
    authority: "www.example.com",
    path: "/",
    normalizedPath: "/",
    host: "www.example.com",
    port: undefined,
    headers: {},
  };
  const of = (name: string, value: object, ...frames: readonly Uint8Array[]) =>
    sample("http2", name, http2Connection(...frames), { ...request, ...value });
  const plain = hex("82 86 84 41 0f 7777772e6578616d706c652e636f6d");
  const huffman = hex("82 86 84 41 8c f1e3c2e5f23a6ba0ab90f4ff");
  const settings = frame(4, 0, 0, hex("0003 00000064 0004 00100000"));
  return [
    of("request of RFC 7541 C.3.1", {}, frame(1, 5, 1, plain)),
    of("request of RFC 7541 C.4.1", {}, frame(1, 5, 1, huffman)),
    of(
      "frames before the request",
      {},
      settings,
      frame(4, 1, 0),
      frame(8, 0, 0, uint(4, 99)),
      frame(2, 0, 3, uint(4, 0), 200),
      frame(6, 0, 0, new Uint8Array(8)),
      frame(0x10, 0, 0, "u=1"),
      frame(1, 5, 1, plain),
    ),
    of(
      "padding and priority",
      {},
      frame(1, 0x2d, 1, 0, uint(4, 0x8000_0000), 15, plain),
    ),
    of(
      "continuations, one of them empty",
      {},
      frame(1, 1, 1, huffman.subarray(0, 7)),
      frame(9, 0, 1),
      frame(9, 0, 1, huffman.subarray(7, 9)),
      frame(9, 4, 1, huffman.subarray(9)),
    ),
    of(
      "long continuations",
      { headers: { long: "v".repeat(600) } },
      frame(1, 1, 1, plain),
      frame(9, 0, 1, "\0\x04long\x7f\xd9\x03", "v".repeat(400)),
      frame(9, 4, 1, "v".repeat(200)),
    ),
    of(
      "padding before a continuation",
      {},
      frame(1, 9, 1, 3, plain.subarray(0, 5), "\0\0\0"),
      frame(9, 4, 1, plain.subarray(5)),
    ),
    of(
      "dynamic table, size updates and a never-indexed field",
      {
        headers: { "custom-key": "custom-value, custom-value", secret: "x" },
      },
      frame(
        1,
        5,
        1,
        hex("20 3f e1 1f"), // size 0, then 4096
        plain,
        bytes(0x40, sized(1, "custom-key"), sized(1, "custom-value"), 0xbe),
        bytes(0x10, sized(1, "secret"), sized(1, "x")),
      ),
    ),
    of("host field only", {
      authority: undefined,
      host: "b.example",
      port: 8080,
      headers: { host: "B.example.:8080" },
    }, frame(1, 5, 1, hex("82 86 84"), plainField("host", "B.example.:8080"))),
    of(
      "tunnel",
      {
        method: "CONNECT",
        scheme: undefined,
        authority: "[2001:DB8::1]:443",
        path: "",
        normalizedPath: "",
        host: "2001:db8::1",
        port: 443,
      },
      frame(
        1,
        4,
        1,
        plainField(":method", "CONNECT"),
        plainField(":authority", "[2001:DB8::1]:443"),
      ),
    ),
  ];
}
