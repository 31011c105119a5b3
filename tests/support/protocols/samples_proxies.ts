import { bytes, hex, proxyV2, sized, uint, utf8 } from "./builders.ts";
import { type Sample, sample } from "./checks.ts";

/** What clients of SOCKS say. */
export function socksSamples(): Sample[] {
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

/** Headers of the PROXY protocol. */
export function proxySamples(): Sample[] {
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
      "v2 with a checksum",
      proxyV2(
        1,
        0x11,
        hex("c0000201 c6336409 c350 01bb"),
        hex("03 0004 7504ac90"),
      ),
      {
        source: address("192.0.2.1", 50_000),
        destination: address("198.51.100.9", 443),
        tlvs: [{ type: 3, value: hex("7504ac90") }],
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
