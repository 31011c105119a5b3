import {
  alpn,
  bytes,
  clientHello,
  dnsMessage,
  extension,
  frame,
  helloMessage,
  hex,
  http2Connection,
  minecraftHandshake,
  mqttConnect,
  padding,
  pktLine,
  plainField,
  postgresMessage,
  proxyV2,
  question,
  rdpRequest,
  records,
  resp,
  serverName,
  sized,
  supportedVersions,
  uint,
  utf8,
  varint,
} from "./builders.ts";
import type { ParserName, Sample } from "./checks.ts";

/** Messages built from the specifications, also of protocols without a client in Debian. */
export const samples: readonly Sample[] = [
  ...tlsSamples(),
  ...httpSamples(),
  ...http2Samples(),
  ...smallSamples(),
  ...socksSamples(),
  ...proxySamples(),
  ...databaseSamples(),
  ...xmppSamples(),
];

function sample(
  parser: ParserName,
  name: string,
  message: Uint8Array,
  value: unknown,
): Sample {
  return { parser, name, bytes: message, value };
}

function tlsSamples(): Sample[] {
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
    alpn: ["\x0a\x0a", "h2", "http/1.1"],
    versions: ["TLSv1.3", "TLSv1.2", "0x7f1c"],
  };
  const largeValue = {
    serverName: "large.example.com",
    alpn: [],
    versions: ["TLSv1.3"],
  };
  const old = { serverName: undefined, alpn: [] };
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
      { serverName: "a_b.example", alpn: [], versions: ["TLSv1.2"] },
    ),
    sample(
      "tls",
      "hello that names an IPv6 address",
      clientHello(serverName("2001:DB8:0::1")),
      {
        serverName: "2001:db8::1",
        alpn: [],
        versions: ["TLSv1.2"],
      },
    ),
  ];
}

function httpSamples(): Sample[] {
  const request = {
    method: "GET",
    target: "/",
    path: "/",
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
        host: "a.example",
      },
    ),
    of("asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {
      method: "OPTIONS",
      target: "*",
      path: "*",
      host: "a",
      headers: { host: "a" },
    }),
    of("tunnel", "CONNECT A.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n", {
      method: "CONNECT",
      target: "A.example:443",
      path: "",
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

function http2Samples(): Sample[] {
  const request = {
    method: "GET",
    scheme: "http",
    authority: "www.example.com",
    path: "/",
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

function smallSamples(): Sample[] {
  return [
    sample("amqp", "0-9-1", bytes("AMQP\0\0\x09\x01"), {
      version: "0-9-1",
      layer: "amqp",
    }),
    sample("amqp", "1.0", bytes("AMQP\0\x01\0\0"), {
      version: "1.0",
      layer: "amqp",
    }),
    sample("amqp", "1.0 with TLS", bytes("AMQP\x02\x01\0\0"), {
      version: "1.0",
      layer: "tls",
    }),
    sample("amqp", "1.0 with SASL", bytes("AMQP\x03\x01\0\0"), {
      version: "1.0",
      layer: "sasl",
    }),
    sample("amqp", "0-10", bytes("AMQP\x01\x01\0\x0a"), {
      version: "0-10",
      layer: "amqp",
    }),
    sample("git", "push without host", pktLine("git-receive-pack /p\0"), {
      service: "git-receive-pack",
      path: "/p",
      host: undefined,
      port: undefined,
      version: undefined,
      length: 24,
    }),
    sample(
      "git",
      "extra parameters",
      pktLine(
        "git-upload-pack /\xc3\xa9 \0host=[2001:DB8::1]:9419\0\0version=1\0x=y\0",
      ),
      {
        service: "git-upload-pack",
        path: "/é ",
        host: "2001:db8::1",
        port: 9419,
        version: 1,
        length: 64,
      },
    ),
    sample(
      "git",
      "version but no host",
      pktLine("git-upload-pack /p\0\0version=2\0").map(lower),
      {
        service: "git-upload-pack",
        path: "/p",
        host: undefined,
        port: undefined,
        version: 2,
        length: 34,
      },
    ),
    sample("ssh", "without comments", bytes("SSH-1.99-Cisco-1.25\r\n"), {
      version: "SSH-1.99-Cisco-1.25",
      protocol: "1.99",
      software: "Cisco-1.25",
      comments: undefined,
    }),
    sample("ssh", "bare LF", bytes("SSH-2.0-x a  b\n"), {
      version: "SSH-2.0-x a  b",
      protocol: "2.0",
      software: "x",
      comments: "a  b",
    }),
    sample("minecraft", "login", minecraftHandshake("Play.Example.com."), {
      version: 765,
      host: "play.example.com",
      port: 25_565,
      state: "login",
      length: 25,
    }),
    sample(
      "minecraft",
      "status with Forge",
      minecraftHandshake("a.example\0FML2\0", { version: -1, state: 1 }),
      {
        version: -1,
        host: "a.example",
        port: 25_565,
        state: "status",
        length: 26,
      },
    ),
    sample(
      "minecraft",
      "transfer with a long host",
      minecraftHandshake(`${"a".repeat(60)}.b\0${"é".repeat(50)}`, {
        state: 3,
      }),
      {
        version: 765,
        host: `${"a".repeat(60)}.b`,
        port: 25_565,
        state: "transfer",
        length: 173,
      },
    ),
    sample(
      "rdp",
      "cookie and negotiation",
      rdpRequest("Cookie: mstshash=DOM\\joe\r\n", hex("01 00 0800 0b000000")),
      {
        cookie: "DOM\\joe",
        routingToken: undefined,
        requestedProtocols: ["tls", "credSsp", "credSspEx"],
        length: 45,
      },
    ),
    sample(
      "rdp",
      "routing token",
      rdpRequest("Cookie: msts=3640205228.15629.0000\r\n"),
      {
        cookie: undefined,
        routingToken: "Cookie: msts=3640205228.15629.0000",
        requestedProtocols: [],
        length: 47,
      },
    ),
    sample(
      "rdp",
      "negotiation and correlation",
      rdpRequest(
        hex("01 08 0800 01000000"),
        hex("06 00 2400"),
        new Uint8Array(32),
      ),
      {
        cookie: undefined,
        routingToken: undefined,
        requestedProtocols: ["tls"],
        length: 55,
      },
    ),
    sample("rdp", "nothing but the request", rdpRequest(), {
      cookie: undefined,
      routingToken: undefined,
      requestedProtocols: [],
      length: 11,
    }),
    sample(
      "dns",
      "unusual names and types",
      dnsMessage([
        question("", 255),
        bytes(sized(1, "A.\\ \xff"), 0, uint(2, 65_280), uint(2, 255)),
      ]),
      {
        id: 0x1234,
        names: [".", "a\\.\\\\\\032\\255"],
        types: ["ANY", "TYPE65280"],
        length: 30,
      },
    ),
    sample(
      "dns",
      "update with a record",
      dnsMessage([question("example.com", 6)], [
        bytes(
          uint(2, 0xc00c),
          uint(2, 1),
          uint(2, 1),
          uint(4, 60),
          sized(2, 192, 0, 2, 1),
        ),
      ], { flags: 0x2800 }),
      {
        id: 0x1234,
        names: ["example.com"],
        types: ["SOA"],
        length: 47,
      },
    ),
  ];
}

/** Git takes hexadecimal digits of either case. */
function lower(byte: number, index: number): number {
  return index < 4
    ? String.fromCharCode(byte).toUpperCase().charCodeAt(0)
    : byte;
}

function socksSamples(): Sample[] {
  return [
    sample(
      "socks4",
      "connection with a user",
      bytes(4, 1, uint(2, 80), 192, 0, 2, 1, "joe\0"),
      {
        command: "connect",
        host: "192.0.2.1",
        port: 80,
        user: "joe",
        length: 12,
      },
    ),
    sample(
      "socks4",
      "SOCKS4a",
      bytes(4, 2, uint(2, 443), 0, 0, 0, 9, "\0A.Example.\0"),
      {
        command: "bind",
        host: "a.example",
        port: 443,
        user: "",
        length: 20,
      },
    ),
    sample(
      "socks4",
      "the address 0.0.0.0",
      bytes(4, 1, uint(2, 443), 0, 0, 0, 0, 0),
      {
        command: "connect",
        host: "0.0.0.0",
        port: 443,
        user: "",
        length: 9,
      },
    ),
    sample("socks5", "shortest greeting", bytes(5, 1, 0), {
      methods: [0],
      length: 3,
    }),
    sample("socks5", "greeting", bytes(5, 3, 0, 2, 0x80), {
      methods: [0, 2, 0x80],
      length: 5,
    }),
    sample(
      "socks5Credentials",
      "user and password",
      bytes(1, sized(1, utf8("zoë")), sized(1, "pw")),
      {
        user: "zoë",
        password: "pw",
        length: 9,
      },
    ),
    sample(
      "socks5Request",
      "IPv4",
      bytes(5, 1, 0, 1, 192, 0, 2, 1, uint(2, 80)),
      {
        command: "connect",
        host: "192.0.2.1",
        port: 80,
        length: 10,
      },
    ),
    sample(
      "socks5Request",
      "IPv6",
      bytes(
        5,
        3,
        0,
        4,
        hex("20010db8 00000000 00010000 00000001"),
        uint(2, 53),
      ),
      {
        command: "udpAssociate",
        host: "2001:db8::1:0:0:1",
        port: 53,
        length: 22,
      },
    ),
    sample(
      "socks5Request",
      "name",
      bytes(5, 2, 0, 3, sized(1, "A.Example."), uint(2, 80)),
      {
        command: "bind",
        host: "a.example",
        port: 80,
        length: 17,
      },
    ),
  ];
}

function proxySamples(): Sample[] {
  const header = {
    command: "proxy",
    source: undefined,
    destination: undefined,
    tlvs: [],
  };
  const address = (hostname: string, port: number, transport = "tcp") => ({
    transport,
    hostname,
    port,
  });
  const v1 = (name: string, text: string, value: object) =>
    sample("proxyProtocol", name, bytes(text), {
      version: 1,
      ...header,
      ...value,
      length: text.length,
    });
  const v2 = (name: string, message: Uint8Array, value: object) =>
    sample("proxyProtocol", name, message, {
      version: 2,
      ...header,
      ...value,
      length: message.length,
    });
  const longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  const ports = [uint(2, 50_000), uint(2, 443)];
  return [
    v1("v1 TCP4", "PROXY TCP4 192.0.2.1 255.255.255.255 0 65535\r\n", {
      source: address("192.0.2.1", 0),
      destination: address("255.255.255.255", 65_535),
    }),
    v1("v1 TCP6", `PROXY TCP6 ${longest} 2001:DB8::0:1 65535 65535\r\n`, {
      source: address(longest, 65_535),
      destination: address("2001:db8::1", 65_535),
    }),
    v1(
      "v1 TCP6 with mapped addresses",
      "PROXY TCP6 ::ffff:192.0.2.1 :: 1 2\r\n",
      {
        source: address("::ffff:192.0.2.1", 1),
        destination: address("::", 2),
      },
    ),
    v1("v1 UNKNOWN", "PROXY UNKNOWN\r\n", {}),
    v1("v1 longest", `PROXY UNKNOWN ${longest} ${longest} 65535 65535\r\n`, {}),
    v2(
      "v2 TCP4 with TLVs",
      proxyV2(
        1,
        0x11,
        192,
        0,
        2,
        1,
        192,
        0,
        2,
        2,
        ...ports,
        1,
        sized(2, "h2"),
        4,
        sized(2),
      ),
      {
        source: address("192.0.2.1", 50_000),
        destination: address("192.0.2.2", 443),
        tlvs: [{ type: 1, value: bytes("h2") }, { type: 4, value: bytes() }],
      },
    ),
    v2(
      "v2 UDP6",
      proxyV2(
        1,
        0x22,
        hex("20010db8000000000000000000000001"),
        new Uint8Array(16),
        ...ports,
      ),
      {
        source: address("2001:db8::1", 50_000, "udp"),
        destination: address("::", 443, "udp"),
      },
    ),
    v2(
      "v2 socket files",
      proxyV2(1, 0x31, padded("/run/a"), padded("\0abstract")),
      {
        source: { transport: "unix", path: "/run/a" },
        destination: { transport: "unix", path: "@abstract" },
      },
    ),
    v2("v2 LOCAL", proxyV2(0, 0), { command: "local" }),
    v2(
      "v2 LOCAL with addresses to be ignored",
      proxyV2(0, 0x11, new Uint8Array(15)),
      { command: "local" },
    ),
    v2("v2 of an unknown family", proxyV2(1, 0, "whatever"), {}),
  ];
}

function padded(path: string): Uint8Array {
  return bytes(path, new Uint8Array(108 - path.length));
}

function databaseSamples(): Sample[] {
  const startup = (
    name: string,
    parameters: Record<string, string>,
    database: string,
  ) => {
    const pairs = Object.entries(parameters).map(([key, value]) =>
      bytes(key, 0, utf8(value), 0)
    );
    const message = postgresMessage(0x0003_0002, ...pairs, 0);
    return sample("postgres", name, message, {
      kind: "startup",
      version: "3.2",
      user: parameters["user"],
      database,
      parameters: new Map(Object.entries(parameters)),
      length: message.length,
    });
  };
  const mqtt = (name: string, packet: Uint8Array, value: object) =>
    sample("mqtt", name, packet, {
      keepAlive: 60,
      username: undefined,
      cleanStart: false,
      length: packet.length,
      ...value,
    });
  const properties = bytes(
    0x11,
    uint(4, 60),
    0x26,
    sized(2, "a"),
    sized(2, "b"),
  );
  const redis = (
    name: string,
    message: Uint8Array,
    command: string,
    ...args: string[]
  ) =>
    sample("redis", name, message, {
      command,
      arguments: args,
      length: message.length,
    });
  return [
    sample("postgres", "SSLRequest", postgresMessage(80_877_103), {
      kind: "ssl",
      length: 8,
    }),
    sample("postgres", "GSSENCRequest", postgresMessage(80_877_104), {
      kind: "gss",
      length: 8,
    }),
    sample(
      "postgres",
      "CancelRequest",
      postgresMessage(80_877_102, uint(4, 4711), "\x01\0\x02\0"),
      {
        kind: "cancel",
        processId: 4711,
        secretKey: bytes("\x01\0\x02\0"),
        length: 16,
      },
    ),
    sample(
      "postgres",
      "CancelRequest of version 3.2",
      postgresMessage(80_877_102, uint(4, 1), new Uint8Array(256)),
      {
        kind: "cancel",
        processId: 1,
        secretKey: new Uint8Array(256),
        length: 268,
      },
    ),
    startup("startup with a database", {
      user: "zoë",
      database: "sales",
      options: "-c a=b",
      empty: "",
    }, "sales"),
    startup("startup without a database", { user: "joe" }, "joe"),
    startup(
      "startup with an empty database",
      { database: "", user: "joe" },
      "joe",
    ),
    mqtt(
      "3.1.1, nothing but an empty identifier",
      mqttConnect("\0\x04MQTT\x04\x02\0\x3c", sized(2)),
      {
        level: 4,
        clientId: "",
        cleanStart: true,
      },
    ),
    mqtt(
      "3.1.1 from a bridge",
      mqttConnect("\0\x04MQTT\x84\0\0\x3c", sized(2, "b")),
      { level: 4, clientId: "b" },
    ),
    mqtt(
      "5.0 with everything",
      mqttConnect(
        "\0\x04MQTT\x05\xf6\0\x3c",
        sized(1, properties),
        sized(2, utf8("zoë")),
        sized(1, properties),
        sized(2, "will"),
        sized(2, new Uint8Array(200)),
        sized(2, "joe"),
        sized(2, "\0\xff"),
      ),
      { level: 5, clientId: "zoë", username: "joe", cleanStart: true },
    ),
    mqtt("3.1", mqttConnect("\0\x06MQIsdp\x03\0\0\x3c", sized(2, "c")), {
      level: 3,
      clientId: "c",
    }),
    mqtt(
      "5.0 with a length that is not the shortest",
      bytes(0x10, 0x8e, 0, "\0\x04MQTT\x05\0\0\x3c", varint(0), sized(2, "c")),
      {
        level: 5,
        clientId: "c",
      },
    ),
    redis(
      "array",
      resp("hello", "3", "AUTH", "joe", "pässword"),
      "HELLO",
      "3",
      "AUTH",
      "joe",
      "pässword",
    ),
    redis(
      "array with an empty and a binary argument",
      bytes("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n"),
      "SET",
      "",
      "\r\n\r\n",
    ),
    redis("array of one", resp("JSON.GET"), "JSON.GET"),
    redis("line", bytes("ping\r\n"), "PING"),
    redis("line with bare LF", bytes("SELECT  3 \n"), "SELECT", "3"),
    redis(
      "line with quotes",
      bytes(`AUTH "j\\x6fe \\"x\\n" 'it\\'s \\n'\r\n`),
      "AUTH",
      'joe "x\n',
      "it's \\n",
    ),
  ];
}

function xmppSamples(): Sample[] {
  const namespaces =
    "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";
  const of = (name: string, text: string, to: string | undefined) =>
    sample("xmpp", name, utf8(text), { to, namespace: "jabber:client" });
  return [
    of(
      "declaration and single quotes",
      `<?xml version='1.0'?><stream:stream to='Example.com.' ${namespaces}>`,
      "example.com",
    ),
    of(
      "double quotes and space",
      `<?xml version="1.0" encoding="UTF-8"?>\r\n\n<stream:stream\n\tfrom="a@b>'" to = "a.b"\n${namespaces} version="1.0" >`,
      "a.b",
    ),
    of(
      "no declaration",
      `<stream:stream ${namespaces} to='[2001:DB8::1]'>`,
      "2001:db8::1",
    ),
    of(
      "international host",
      `<stream:stream ${namespaces} to='BÜCHER。Example'>`,
      "bücher.example",
    ),
    of("no host", `<stream:stream ${namespaces}>`, undefined),
  ];
}
