import { bytes, hex, type Part, sized } from "./builders.ts";
import { type Sample, sample } from "./checks.ts";

/** What clients of OpenVPN, LDAP, MySQL, SMTP and IMAP say. */
export function serverSamples(): Sample[] {
  return [
    ...openVpnSamples(),
    ...ldapSamples(),
    ...mysqlSamples(),
    ...mailSamples(),
  ];
}

/** Packets of OpenVPN 2.6, but for the last. */
function openVpnSamples(): Sample[] {
  const of = (protection: string, packet: Uint8Array, name = protection) =>
    sample("openvpn", name, packet, {
      protection,
      sessionId: packet.subarray(3, 11).toHex(),
      length: packet.length,
    });
  const key = new Uint8Array(290).fill(0x5a);
  return [
    of("none", hex("000e 38 ea2db0d96487958f 00 00000000")),
    of(
      "tls-auth",
      hex(
        "002a 38 f23b931f4d1773ca eb09534c7e58d57a6305d0315db937d3bdc7e4d4 00000001 6b0b22a1 00 00000000",
      ),
    ),
    of(
      "tls-auth",
      hex(
        "0036 38 9b1f580eac3eb866 8d5c52209ab552adc06b20bba1622dd00ceecae5bad4b4a253b7b17fddc6c932 00000001 6b0b22a1 00 00000000",
      ),
      "tls-auth with SHA-256",
    ),
    of(
      "tls-crypt",
      hex(
        "0036 38 f844c9a004dd34cf 00000001 6b0b22a1 e3d36aef94caf1b55c5e5323fb5d4016be0882c23a2422c45f57cebaf41154f9 24a840ed52",
      ),
    ),
    of(
      "tls-crypt-v2",
      sized(
        2,
        hex("50 0bf03b356c9acd56 0f000001 6b0b22a1"),
        new Uint8Array(37).fill(0xa5),
        key,
      ),
    ),
  ];
}

/** A message of LDAP. */
export function ldapMessage(
  operation: number,
  ...parts: readonly Part[]
): Uint8Array {
  return bytes(
    0x30,
    sized(1, hex("02 01 07"), operation, sized(1, ...parts)),
  );
}

function ldapSamples(): Sample[] {
  const of = (name: string, message: Uint8Array, value: object) =>
    sample("ldap", name, message, {
      id: 7,
      operation: "bind",
      startTls: false,
      name: undefined,
      authentication: undefined,
      oid: undefined,
      length: message.length,
      ...value,
    });
  const version = hex("02 01 03");
  const simple = (text: string) =>
    ldapMessage(0x60, version, 4, sized(1, text), 0x80, sized(1, "pw"));
  const oid = "1.3.6.1.4.1.1466.20037";
  return [
    of("StartTLS", ldapMessage(0x77, 0x80, sized(1, oid)), {
      operation: "extended",
      startTls: true,
      oid,
    }),
    of("another operation", ldapMessage(0x77, 0x80, sized(1, "1.2")), {
      operation: "extended",
      oid: "1.2",
    }),
    of("simple bind", simple("cn=jo\xc3\xab"), {
      name: "cn=joë",
      authentication: "simple",
    }),
    of("anonymous bind", simple(""), { name: "", authentication: "simple" }),
    of(
      "SASL with controls",
      bytes(
        0x30,
        sized(
          1,
          hex("02 01 07 60"),
          sized(1, version, hex("04 00 a3"), sized(1, 4, sized(1, "EXTERNAL"))),
          hex("a0 02 30 00"),
        ),
      ),
      { name: "", authentication: "EXTERNAL" },
    ),
    of("search", ldapMessage(0x63, hex("04 00 0a 01 00")), {
      operation: "search",
    }),
    of(
      "lengths of four bytes and a large number",
      hex("30 84 0000000c 02 04 7fffffff 63 84 00000000"),
      { id: 0x7fff_ffff, operation: "search" },
    ),
  ];
}

/** A message of MySQL's client behind the greeting. */
export function mysqlMessage(
  capabilities: string,
  ...parts: readonly Part[]
): Uint8Array {
  const content = bytes(
    hex(capabilities),
    hex("00000001 2d"),
    new Uint8Array(23),
    ...parts,
  );
  return bytes(content.length & 0xff, content.length >> 8, 0, 1, content);
}

function mysqlSamples(): Sample[] {
  const of = (
    name: string,
    kind: string,
    message: Uint8Array,
    user: string | undefined,
    database: string | undefined,
  ) =>
    sample("mysqlResponse", name, message, {
      kind,
      capabilities: message.subarray(4, 8)
        .reduceRight((value, byte) => value * 256 + byte, 0),
      user,
      database,
      length: message.length,
    });
  return [
    of(
      "a request for TLS",
      "ssl",
      mysqlMessage("8caabf00"),
      undefined,
      undefined,
    ),
    of(
      "user and database",
      "login",
      mysqlMessage("8ca2bf00", "joe\0", 0, "shop\0", "mysql_native_password\0"),
      "joe",
      "shop",
    ),
    of(
      "no user and no database",
      "login",
      mysqlMessage("8402bf80", "\0", sized(1, "p".repeat(20))),
      "",
      undefined,
    ),
    of(
      "an old form of the password",
      "login",
      mysqlMessage("08020000", "jo\xff\0", "pw\0", "shop"),
      "jo\xff",
      "shop",
    ),
  ];
}

function mailSamples(): Sample[] {
  const smtp = (line: string, command: string, argument: string) =>
    sample("smtpCommand", JSON.stringify(line), bytes(line), {
      command,
      argument,
      length: line.length,
    });
  const imap = (line: string, tag: string, command: string, argument: string) =>
    sample("imapCommand", JSON.stringify(line), bytes(line), {
      tag,
      command,
      argument,
      length: line.length,
    });
  return [
    smtp("EHLO client.example\r\n", "EHLO", "client.example"),
    smtp("starttls\n", "STARTTLS", ""),
    smtp("MAIL FROM:<j\xc3\xab@a> SIZE=1\r\n", "MAIL", "FROM:<jë@a> SIZE=1"),
    smtp("RSET \r\n", "RSET", ""),
    imap("a1 CAPABILITY\r\n", "a1", "CAPABILITY", ""),
    imap(". starttls \n", ".", "STARTTLS", ""),
    imap("A 1\r\n".replace("1", "login joe {3}"), "A", "LOGIN", "joe {3}"),
  ];
}
