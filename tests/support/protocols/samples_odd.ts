import {
  alpn,
  bytes,
  clientHello,
  dnsMessage,
  extension,
  frame,
  hex,
  http2Connection,
  minecraftHandshake,
  mqttConnect,
  type Part,
  pktLine,
  plainField,
  question,
  rdpRequest,
  serverName,
  sized,
  uint,
  utf8,
} from "./builders.ts";
import { type Sample, sample } from "./checks.ts";

/** What clients send although no specification allows it, and servers take. */
export function oddSamples(): Sample[] {
  return [
    ...oddHellos(),
    ...oddRequests(),
    ...oddHttp2(),
    ...oddTunnels(),
    ...oddGit(),
    ...oddDns(),
    ...oddGames(),
    ...oddStreams(),
  ];
}

/** Hellos whose names no certificate could have. */
function oddHellos(): Sample[] {
  const value = { alpn: [], versions: ["TLSv1.2"] };
  const named = (raw: string, name?: string) =>
    sample(
      "tls",
      `hello with the name ${JSON.stringify(raw)}`,
      clientHello(serverName(raw), alpn("h2")),
      { ...value, alpn: ["h2"], serverName: name, rawServerName: raw },
    );
  const content = (what: string, ...parts: readonly Part[]) =>
    sample("tls", `hello with ${what}`, clientHello(extension(0, ...parts)), {
      ...value,
      serverName: undefined,
      rawServerName: undefined,
    });
  return [
    named("host:443"),
    named("*.example.com"),
    named("[2001:db8::1]"),
    named("2001:"),
    named("a b"),
    named("a\0b"),
    named("a..b"),
    named("."),
    named(`${"a".repeat(64)}.example`),
    named("\xff\xfe"),
    named("b\xc3\xbccher.example", "xn--bcher-kva.example"),
    named("\xc3\xa4\xe2\x84\x80"), // a letter and a symbol
    named("\xc3\xa4..b"),
    named("a/\xc3\xa4"),
    content("an empty name", sized(2, 0, sized(2))),
    content("an empty list of names", sized(2)),
    content("an empty extension for names"),
    content("two names", sized(2, 0, sized(2, "a"), 0, sized(2, "b"))),
    content("a name beyond its list", sized(2, 0, uint(2, 5), "a")),
    content("a list beyond its extension", uint(2, 9), 0, sized(2, "a")),
    sample(
      "tls",
      "hello in the format of SSL 2",
      hex(
        `802e 01 0302 0009 0000 001c 00002f 0000ff 030080 ${"5a".repeat(28)}`,
      ),
      {
        serverName: undefined,
        rawServerName: undefined,
        alpn: [],
        versions: ["TLSv1.1"],
      },
    ),
    sample(
      "tls",
      "hello in the format of SSL 2 with a session",
      hex(`802c 01 0300 0003 0010 0010 000005 ${"a5".repeat(32)}`),
      {
        serverName: undefined,
        rawServerName: undefined,
        alpn: [],
        versions: ["SSLv3"],
      },
    ),
  ];
}

/** Requests that nginx, HAProxy, Node.js or another common server answers. */
function oddRequests(): Sample[] {
  const of = (name: string, text: string, value: object) =>
    sample("http", name, bytes(text), {
      method: "GET",
      target: "/",
      path: "/",
      normalizedPath: "/",
      version: "1.1",
      host: undefined,
      port: undefined,
      headers: {},
      ...value,
    });
  const hosts: Readonly<Record<string, object>> = {
    "joe:p@w@A.example:81": { host: "a.example", port: 81 },
    "[fe80::1%25eth0]": {},
    "%2Fvar%2Frun%2Fdocker.sock": {},
    "/var/run/docker.sock": {},
    "my\\032host.local": {},
    "b\xc3\xbccher.example:81": { host: "xn--bcher-kva.example", port: 81 },
    "b\xfccher.example": {},
    "b\xc3\xbccher.example:x": {},
    "a, b": {},
    "a:b": {},
    "a:70000": {},
    "[::1": {},
    "::1": {},
    ":80": {},
    "a..b": {},
    "a\x1b": {},
    [`${"a.".repeat(127)}a`]: {},
  };
  const targets: Readonly<Record<string, object>> = {
    "http://joe:p/w@a/x": { host: undefined, path: "/w@a/x" },
    "http://joe:p%2Fw@A.example:81/x?q": {
      host: "a.example",
      port: 81,
      path: "/x?q",
      normalizedPath: "/x",
    },
    "ftp://a.example/%7Ejoe/": { host: "a.example", path: "/%7Ejoe/" },
    "http://a..b/": { path: "/" },
    "http://a:70000": { path: "/" },
    "http:///x": { path: "/x" },
    "http://a.example#f": {
      host: "a.example",
      path: "/#f",
      normalizedPath: "/",
    },
    "*": { path: "*", normalizedPath: "*" },
  };
  const paths: Readonly<Record<string, string>> = {
    "//admin": "/admin",
    "/%61dmin": "/admin",
    "/./admin/x/..": "/admin/",
    "/a%2fb%2F..": "/a%2Fb%2F..",
    "/a%252e": "/a%2e",
    "/%C3%A9?%41": "/\xc3\xa9",
    "/a#b?c": "/a",
    "/a?b#c": "/a",
    "/%4/%/%zz": "/%4/%/%zz",
    "/../../a": "/a",
    "/a/%2e%2E/b": "/b",
    "//": "/",
  };
  const tunnels: Readonly<Record<string, object>> = {
    "2001:db8::1:443": { host: "2001:db8::1", port: 443 },
    "::1:8443": { host: "::1", port: 8443 },
    "fe80::1%eth0:443": {},
    "a.example": { host: "a.example" },
    "joe@a.example:443": { host: "a.example", port: 443 },
  };
  return [
    ...Object.entries(hosts).map(([host, value]) =>
      of(
        `host ${JSON.stringify(host)}`,
        `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        { headers: { host }, ...value },
      )
    ),
    ...Object.entries(targets).map(([target, value]) =>
      of(
        `target ${target}`,
        `GET ${target} HTTP/1.1\r\nHost: other.example\r\n\r\n`,
        {
          target,
          normalizedPath: (value as { path: string }).path.replace(
            "%7E",
            "~",
          ),
          host: target === "*" ? "other.example" : undefined,
          headers: { host: "other.example" },
          ...value,
        },
      )
    ),
    ...Object.entries(paths).map(([path, normalizedPath]) =>
      of(`path ${path}`, `GET ${path} HTTP/1.1\r\n\r\n`, {
        target: path,
        path,
        normalizedPath,
      })
    ),
    ...Object.entries(tunnels).map(([target, value]) =>
      of(`tunnel to ${target}`, `CONNECT ${target} HTTP/1.1\r\n\r\n`, {
        method: "CONNECT",
        target,
        path: "",
        normalizedPath: "",
        ...value,
      })
    ),
    of(
      "empty lines first",
      `${"\r\n\n".repeat(20)}GET / HTTP/1.1\r\n\r\n`,
      {},
    ),
    of("space in the request line", "GET \t /  HTTP/1.1 \t\r\n\r\n", {}),
    of(
      "unusual names and values of fields",
      "GET / HTTP/1.1\r\nX@[]/(y): 1\r\nX\xc3\xa9: \x01\x00\x7f\r\r\nlone\r\n fold: x\r\nlast:a:b\r\n\r\n",
      {
        headers: {
          "x@[]/(y)": "1",
          "x\xc3\xa9": "\x01\x00\x7f",
          "lone": "fold: x",
          "last": "a:b",
        },
      },
    ),
    of(
      "folded host",
      "GET / HTTP/1.1\r\nHost:\r\n\ta.example\r\n :81\r\n\r\n",
      {
        headers: { host: "a.example :81" },
      },
    ),
    of("host in the second line", "GET / HTTP/1.1\r\nHost:\r\n a:81\r\n\r\n", {
      host: "a",
      port: 81,
      headers: { host: "a:81" },
    }),
    of("same host twice", "GET / HTTP/1.1\r\nHost: a:1\r\nhost: A:1\r\n\r\n", {
      host: "a",
      port: 1,
      headers: { host: "a:1, A:1" },
    }),
    of("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nHost: b\r\n\r\n", {
      headers: { host: "a, b, b" },
    }),
  ];
}

function oddHttp2(): Sample[] {
  const GET = hex("82 86 84");
  const of = (
    name: string,
    value: object,
    ...fields: readonly Uint8Array[]
  ) =>
    sample("http2", name, http2Connection(frame(1, 5, 1, ...fields)), {
      method: "GET",
      scheme: "http",
      authority: undefined,
      path: "/",
      normalizedPath: "/",
      host: undefined,
      port: undefined,
      headers: {},
      ...value,
    });
  const authority = (text: string, value: object = {}) =>
    of(
      `authority ${JSON.stringify(text)}`,
      { authority: text, ...value },
      GET,
      plainField(":authority", text),
    );
  return [
    authority("/run/sock.sock"),
    authority("%2Frun%2Fsock.sock"),
    authority("joe@A.example:81", { host: "a.example", port: 81 }),
    authority("b\xc3\xbccher.example", { host: "xn--bcher-kva.example" }),
    authority("[fe80::1%25eth0]:80"),
    of(
      "path that is to be normalised",
      { path: "//a/%62?c", normalizedPath: "/a/b" },
      hex("82 86"),
      plainField(":path", "//a/%62?c"),
    ),
    of(
      "a host that is not the authority",
      { authority: "a", host: "a", headers: { host: "b" } },
      GET,
      plainField(":authority", "a"),
      plainField("host", "b"),
    ),
    of(
      "two hosts",
      { headers: { host: "a, b" } },
      GET,
      plainField("host", "a"),
      plainField("host", "b"),
    ),
    of(
      "a tunnel for WebSocket",
      {
        method: "CONNECT",
        authority: "a",
        host: "a",
        path: "/chat",
        normalizedPath: "/chat",
      },
      plainField(":method", "CONNECT"),
      plainField(":protocol", "websocket"),
      hex("86"),
      plainField(":path", "/chat"),
      plainField(":authority", "a"),
    ),
  ];
}

/** SOCKS. */
function oddTunnels(): Sample[] {
  const socks4 = (command: number, host: string) =>
    bytes(4, command, uint(2, 80), 0, 0, 0, 1, "joe\0", utf8(host), 0);
  const socks4Value = { port: 80, user: "joe" };
  const request = (command: number, host: string | Uint8Array) =>
    bytes(
      5,
      command,
      0,
      3,
      sized(1, typeof host === "string" ? utf8(host) : host),
      uint(2, 80),
    );
  return [
    sample("socks4", "Tor's RESOLVE", socks4(0xf0, "a.example"), {
      ...socks4Value,
      command: "resolve",
      host: "a.example",
      length: 22,
    }),
    sample("socks4", "a name that is none", socks4(1, "A..b/c"), {
      ...socks4Value,
      command: "connect",
      host: "a..b/c",
      length: 19,
    }),
    sample("socks4", "a name in UTF-8", socks4(1, "Bücher"), {
      ...socks4Value,
      command: "connect",
      host: "xn--bcher-kva",
      length: 20,
    }),
    sample("socks5Credentials", "nothing", bytes(1, 0, 0), {
      user: "",
      password: "",
      length: 3,
    }),
    sample("socks5Credentials", "bytes", bytes(1, 0, sized(1, "\xff\0")), {
      user: "",
      password: "\xff\0",
      length: 5,
    }),
    sample("socks5Request", "Tor's RESOLVE", request(0xf0, "a.example"), {
      command: "resolve",
      host: "a.example",
      port: 80,
      length: 16,
    }),
    sample("socks5Request", "a name that is none", request(1, "A b/c\0"), {
      command: "connect",
      host: "a b/c\0",
      port: 80,
      length: 13,
    }),
    sample(
      "socks5Request",
      "a name that is not UTF-8",
      request(1, bytes("\xff.b")),
      {
        command: "connect",
        host: "\xff.b",
        port: 80,
        length: 10,
      },
    ),
  ];
}

/** Requests that `git daemon` serves. */
function oddGit(): Sample[] {
  const of = (name: string, text: string, value: object) => {
    const message = pktLine(text);
    return sample("git", name, message, {
      service: "git-upload-pack",
      path: "/p",
      host: undefined,
      port: undefined,
      version: undefined,
      length: message.length,
      ...value,
    });
  };
  const paths = ["/a\tb", "/a!b", "/a\nb", "/\x01\x7f", "/\xff"];
  return [
    ...paths.map((path) =>
      of(
        `path ${JSON.stringify(path)}`,
        `git-upload-pack ${path}\0host=h\0`,
        { path, host: "h" },
      )
    ),
    of("nothing but a path", "git-upload-pack /p", {}),
    of("newline behind the path", "git-upload-pack /p\n", {}),
    of("newline before the host", "git-upload-pack /p\n\0HOST=h\0", {
      host: "h",
    }),
    of("empty host", "git-upload-pack /p\0host=\0", {}),
    of("empty host and version", "git-upload-pack /p\0host=\0\0version=2\0", {
      version: 2,
    }),
    of("host without end", "git-upload-pack /p\0host=h:9", {
      host: "h",
      port: 9,
    }),
    of("host with a zone", "git-upload-pack /p\0host=[fe80::1%eth0]\0", {}),
    of("host that is none", "git-upload-pack /p\0host=a/b!\0", {}),
    of(
      "parameters with a newline and without end",
      "git-upload-pack /p\0host=h\0\0a\n\0\0version=1",
      { host: "h", version: 1 },
    ),
    of(
      "a long parameter",
      `git-upload-pack /p\0\0version=${"1".repeat(99)}\0version=2\0`,
      { version: 2 },
    ),
  ];
}

function oddDns(): Sample[] {
  const opcode = (name: string, flags: number) =>
    sample("dns", name, dnsMessage([question("a.b", 1)], [], { flags }), {
      id: 0x1234,
      names: ["a.b"],
      types: ["A"],
      length: 23,
    });
  const none = { id: 0x1234, names: [], types: [] };
  return [
    opcode("IQUERY", 0x0800),
    opcode("STATUS", 0x1000),
    opcode("NOTIFY with AA", 0x2400),
    opcode("all the other bits", 0x07f0),
    sample("dns", "header only", dnsMessage([]), { ...none, length: 14 }),
    sample(
      "dns",
      "a stateful operation",
      hex("0018 1234 3000 0000 0000 0000 0000 0001 0008 00003a98 00003a98"),
      { ...none, length: 26 },
    ),
    sample(
      "dns",
      "a record whose name is written out",
      dnsMessage([], [
        bytes(sized(1, "a"), 0, hex("00fa 00ff 00000000"), sized(2, "x")),
      ]),
      { ...none, length: 28 },
    ),
  ];
}

/** MQTT, AMQP, RDP and Minecraft. */
function oddGames(): Sample[] {
  const mqtt = (name: string, packet: Uint8Array, value: object) =>
    sample("mqtt", name, packet, {
      level: 4,
      clientId: "a",
      username: undefined,
      cleanStart: true,
      keepAlive: 60,
      length: packet.length,
      ...value,
    });
  const mqtt4 = (flags: number, ...parts: readonly Part[]) =>
    mqttConnect("\0\x04MQTT\x04", flags, "\0\x3c", ...parts);
  const handshake = (typed: string, host: string, suffix: string) =>
    sample(
      "minecraft",
      `host ${JSON.stringify(typed.slice(0, 40))}`,
      minecraftHandshake(typed),
      {
        version: 765,
        host,
        suffix,
        port: 25_565,
        state: "login",
        length: minecraftHandshake(typed).length,
      },
    );
  const rdp = (name: string, line: string, value: object) =>
    sample("rdp", name, rdpRequest(line), {
      cookie: undefined,
      routingToken: undefined,
      requestedProtocols: [],
      length: line.length + 11,
      ...value,
    });
  const forwarded = `\x00203.0.113.7\x00${"0".repeat(32)}\x00${
    "x".repeat(3000)
  }`;
  return [
    mqtt(
      "a password without user",
      mqtt4(0x42, sized(2, "a"), sized(2, "p")),
      {},
    ),
    mqtt("bytes behind the fields", mqtt4(2, sized(2, "a"), "xyz"), {}),
    mqtt("an identifier of any bytes", mqtt4(2, sized(2, "\0\xff")), {
      clientId: "\0\xff",
    }),
    sample("amqp", "0-8 of old libraries", bytes("AMQP\x01\x01\x09\x01"), {
      version: "0-8",
      layer: "amqp",
    }),
    rdp("a user in UTF-8", "Cookie: mstshash=J\xc3\xbcrgen\r\n", {
      cookie: "Jürgen",
    }),
    rdp("a user in a code page", "Cookie: mstshash=J\xfc\t\r\n", {
      cookie: "J\xfc\t",
    }),
    rdp("a token of any bytes", "tsv://\xc3\x28\0\r\n", {
      routingToken: "tsv://\xc3\x28\0",
    }),
    handshake("A.example.\0FML3\0", "a.example", "\0FML3\0"),
    handshake("a.example///1.2.3.4:5///6", "a.example", "///1.2.3.4:5///6"),
    handshake("a.example\\\\id\\\\ip", "a.example", "\\\\id\\\\ip"),
    handshake(`a.example${forwarded}`, "a.example", forwarded),
    handshake("", "", ""),
    handshake("\0FML\0", "", "\0FML\0"),
    handshake("A b..c", "a b..c", ""),
    handshake("Bücher.example", "xn--bcher-kva.example", ""),
    handshake("2001:DB8::1", "2001:db8::1", ""),
    sample("minecraft", "ping before 1.7", hex("fe01"), {
      version: undefined,
      host: undefined,
      suffix: "",
      port: undefined,
      state: "status",
      length: 2,
    }),
  ];
}

/** XMPP. */
function oddStreams(): Sample[] {
  const streams = "http://etherx.jabber.org/streams";
  const client = { to: "a.b", namespace: "jabber:client" };
  const to = (host: string, value: string | undefined) =>
    sample(
      "xmpp",
      `host ${JSON.stringify(host)}`,
      bytes(
        `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' to='`,
        host,
        "'>",
      ),
      { ...client, to: value },
    );
  return [
    sample(
      "xmpp",
      "another prefix",
      bytes(
        `<_x-1:stream to='a.b' xmlns='jabber:client' xmlns:_x-1='${streams}'>`,
      ),
      client,
    ),
    sample("xmpp", "no prefix", bytes(`<stream xmlns='${streams}' to="a.b">`), {
      to: "a.b",
      namespace: undefined,
    }),
    to("", undefined),
    to("a b", undefined),
    to("a".repeat(64), undefined),
    to("a@b", undefined),
    to("a:80", undefined),
    to("[::1]:80", undefined),
    to("\xff", undefined),
    to("a&amp;", undefined),
    to("\xc3\xa4\xe2\x84\x80", undefined),
    to("\xc3\xa4..b", undefined),
  ];
}
