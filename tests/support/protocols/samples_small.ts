import {
  bytes,
  dnsMessage,
  hex,
  minecraftHandshake,
  pktLine,
  question,
  rdpRequest,
  sized,
  uint,
} from "./builders.ts";
import { type Sample, sample } from "./checks.ts";

/** Short messages: AMQP, Git, SSH, Minecraft, RDP and DNS. */
export function smallSamples(): Sample[] {
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
      pktLine("git-upload-pack /p\0\0version=2\0").map(upper),
      {
        service: "git-upload-pack",
        path: "/p",
        host: undefined,
        port: undefined,
        version: 2,
        length: 34,
      },
    ),
    sample("git", "empty parameters", pktLine("git-upload-pack /p\0\0"), {
      service: "git-upload-pack",
      path: "/p",
      host: undefined,
      port: undefined,
      version: undefined,
      length: 24,
    }),
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
      suffix: "",
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
        suffix: "\0FML2\0",
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
        suffix: `\0${"é".repeat(50)}`,
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
function upper(byte: number, index: number): number {
  return index < 4
    ? String.fromCharCode(byte).toUpperCase().charCodeAt(0)
    : byte;
}
