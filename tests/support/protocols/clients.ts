import type { ParserName } from "./checks.ts";

/**
 * A real client, what it is run with, and what its first message has to say.
 */
export interface RealClient {
  /** What it does. */
  readonly name: string;
  /** The parser of its first message. */
  readonly parser: ParserName;
  /** The program. */
  readonly program: string;
  /** The program's arguments; it has to connect to this port of 127.0.0.1. */
  readonly args: (port: number) => readonly string[];
  /** Environment variables besides the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** What comes before that message: what to answer to which message. */
  readonly dialogue?: readonly {
    readonly parser: ParserName;
    readonly reply: readonly number[];
  }[];
  /**
   * Fields that the value has to have; headers as a plain object, only the
   * given ones.
   */
  readonly fields: Readonly<Record<string, unknown>>;
}

const openssl = (
  port: number,
  ...args: string[]
) => ["s_client", "-connect", `127.0.0.1:${port}`, ...args];
const curl = (
  ...args: string[]
) => ["--silent", "--noproxy", "", "--max-time", "20", ...args];
/** More than 4 KiB of names. */
const MANY_PROTOCOLS = Array.from(
  { length: 300 },
  (_, i) => `protocol-number-${i}`,
);
const NO_CONFIGURATION = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
};

/** The clients that Debian has. */
export const realClients: readonly RealClient[] = [
  {
    name: "openssl s_client",
    parser: "tls",
    program: "openssl",
    args: (port) =>
      openssl(
        port,
        "-min_protocol",
        "TLSv1.2",
        "-servername",
        "WWW.Example.com",
        "-alpn",
        "h2,http/1.1",
      ),
    fields: {
      serverName: "www.example.com",
      alpn: ["h2", "http/1.1"],
      versions: ["TLSv1.3", "TLSv1.2"],
    },
  },
  {
    name: "openssl s_client with TLS 1.2 and no server name",
    parser: "tls",
    program: "openssl",
    args: (port) => openssl(port, "-noservername", "-tls1_2"),
    fields: { serverName: undefined, alpn: [], versions: ["TLSv1.2"] },
  },
  {
    name: "openssl s_client with a hello of more than 4 KiB",
    parser: "tls",
    program: "openssl",
    args: (port) =>
      openssl(
        port,
        "-servername",
        "example.com",
        "-alpn",
        MANY_PROTOCOLS.join(","),
      ),
    fields: { serverName: "example.com", alpn: MANY_PROTOCOLS },
  },
  {
    name: "curl https://",
    parser: "tls",
    program: "curl",
    args: (port) =>
      curl(
        "--tlsv1.2",
        "--connect-to",
        `::127.0.0.1:${port}`,
        "https://Example.org/",
      ),
    fields: {
      serverName: "example.org",
      alpn: ["h2", "http/1.1"],
      versions: ["TLSv1.3", "TLSv1.2"],
    },
  },
  {
    name: "gnutls-cli",
    parser: "tls",
    program: "gnutls-cli",
    args: (
      port,
    ) => [
      "-p",
      `${port}`,
      "--sni-hostname=gnutls.example.com",
      "--alpn=imap",
      "127.0.0.1",
    ],
    fields: { serverName: "gnutls.example.com", alpn: ["imap"] },
  },
  {
    name: "curl http://",
    parser: "http",
    program: "curl",
    args: (port) =>
      curl(
        "--connect-to",
        `::127.0.0.1:${port}`,
        "-H",
        "X-A: 1",
        "-H",
        "X-A: 2",
        "http://Example.org./a?b=c",
      ),
    fields: {
      method: "GET",
      target: "/a?b=c",
      path: "/a?b=c",
      version: "1.1",
      host: "example.org",
      port: undefined,
      headers: { accept: "*/*", "x-a": "1, 2" },
    },
  },
  {
    name: "curl by a proxy",
    parser: "http",
    program: "curl",
    args: (port) =>
      curl("--proxy", `http://127.0.0.1:${port}`, "http://Example.org:8080/a"),
    fields: {
      path: "/a",
      host: "example.org",
      port: 8080,
    },
  },
  {
    name: "curl through a proxy's tunnel",
    parser: "http",
    program: "curl",
    args: (port) =>
      curl("--proxy", `http://127.0.0.1:${port}`, "https://[2001:DB8::1]/"),
    fields: {
      method: "CONNECT",
      path: "",
      host: "2001:db8::1",
      port: 443,
    },
  },
  {
    name: "curl --http2-prior-knowledge",
    parser: "http2",
    program: "curl",
    args: (port) =>
      curl(
        "--http2-prior-knowledge",
        "--connect-to",
        `::127.0.0.1:${port}`,
        "-d",
        "x=1",
        "http://Example.org:81/a?b=c",
      ),
    fields: {
      method: "POST",
      scheme: "http",
      path: "/a?b=c",
      host: "example.org",
      port: 81,
      headers: { accept: "*/*", "content-length": "3" },
    },
  },
  {
    name: "curl --haproxy-protocol",
    parser: "proxyProtocol",
    program: "curl",
    args: (port) =>
      curl(
        "--haproxy-protocol",
        "--connect-to",
        `::127.0.0.1:${port}`,
        "http://example.org/",
      ),
    fields: { version: 1, command: "proxy", tlvs: [] },
  },
  {
    name: "git ls-remote",
    parser: "git",
    program: "git",
    args: (port) => ["ls-remote", `git://127.0.0.1:${port}/team/project.git`],
    env: {
      ...NO_CONFIGURATION,
      GIT_OVERRIDE_VIRTUAL_HOST: "Git.Example.com:9419",
    },
    fields: {
      service: "git-upload-pack",
      path: "/team/project.git",
      host: "git.example.com",
      port: 9419,
      version: 2,
    },
  },
  {
    name: "git archive --remote",
    parser: "git",
    program: "git",
    args: (
      port,
    ) => ["archive", `--remote=git://127.0.0.1:${port}/~user/project`, "HEAD"],
    env: NO_CONFIGURATION,
    fields: {
      service: "git-upload-archive",
      path: "~user/project",
      host: "127.0.0.1",
    },
  },
  {
    name: "ssh",
    parser: "ssh",
    program: "ssh",
    args: (
      port,
    ) => [
      "-F",
      "/dev/null",
      "-o",
      "BatchMode=yes",
      "-p",
      `${port}`,
      "127.0.0.1",
    ],
    fields: { protocol: "2.0" },
  },
  {
    name: "curl --socks4",
    parser: "socks4",
    program: "curl",
    args: (port) =>
      curl("--socks4", `joe@127.0.0.1:${port}`, "http://192.0.2.7:81/"),
    fields: { command: "connect", host: "192.0.2.7", port: 81, user: "joe" },
  },
  {
    name: "curl --socks4a",
    parser: "socks4",
    program: "curl",
    args: (port) =>
      curl("--socks4a", `127.0.0.1:${port}`, "http://Example.org/"),
    fields: { command: "connect", host: "example.org", port: 80, user: "" },
  },
  {
    name: "curl --socks5 (greeting)",
    parser: "socks5",
    program: "curl",
    args: (port) =>
      curl(
        "--socks5-basic",
        "--socks5",
        `joe:secret@127.0.0.1:${port}`,
        "http://192.0.2.7/",
      ),
    fields: { methods: [0, 2] },
  },
  {
    name: "curl --socks5 (credentials)",
    parser: "socks5Credentials",
    program: "curl",
    args: (port) =>
      curl(
        "--socks5-basic",
        "--socks5",
        `joe:secret@127.0.0.1:${port}`,
        "http://192.0.2.7/",
      ),
    dialogue: [{ parser: "socks5", reply: [5, 2] }],
    fields: { user: "joe", password: "secret", length: 12 },
  },
  {
    name: "curl --socks5 (request for an address)",
    parser: "socks5Request",
    program: "curl",
    args: (port) =>
      curl(
        "--socks5-basic",
        "--socks5",
        `joe:secret@127.0.0.1:${port}`,
        "http://[2001:db8::7]:82/",
      ),
    dialogue: [
      { parser: "socks5", reply: [5, 2] },
      { parser: "socks5Credentials", reply: [1, 0] },
    ],
    fields: { command: "connect", host: "2001:db8::7", port: 82, length: 22 },
  },
  {
    name: "curl --socks5-hostname (request for a name)",
    parser: "socks5Request",
    program: "curl",
    args: (port) =>
      curl("--socks5-hostname", `127.0.0.1:${port}`, "http://Example.org:83/"),
    dialogue: [{ parser: "socks5", reply: [5, 0] }],
    fields: { command: "connect", host: "example.org", port: 83, length: 18 },
  },
  {
    name: "psql with sslmode=disable",
    parser: "postgres",
    program: "psql",
    args: (
      port,
    ) => [
      `host=127.0.0.1 port=${port} user=alice dbname=sales sslmode=disable application_name=test`,
    ],
    fields: {
      kind: "startup",
      version: "3.0",
      user: "alice",
      database: "sales",
    },
  },
  {
    name: "psql with sslmode=require",
    parser: "postgres",
    program: "psql",
    args: (
      port,
    ) => [
      `host=127.0.0.1 port=${port} user=alice dbname=sales sslmode=require gssencmode=disable`,
    ],
    fields: { kind: "ssl", length: 8 },
  },
  {
    name: "openssl s_client -starttls postgres",
    parser: "postgres",
    program: "openssl",
    args: (port) => openssl(port, "-starttls", "postgres"),
    fields: { kind: "ssl", length: 8 },
  },
  ...(["mqttv31", "mqttv311", "mqttv5"] as const).map((
    version,
    i,
  ): RealClient => ({
    name: `mosquitto_pub -V ${version}`,
    parser: "mqtt",
    program: "mosquitto_pub",
    args: (port) =>
      `-h 127.0.0.1 -p ${port} -V ${version} -i pump-1 -u joe -P secret -k 30 -t a -m b --will-topic w --will-payload p`
        .split(" "),
    fields: {
      level: 3 + i,
      clientId: "pump-1",
      username: "joe",
      cleanStart: true,
      keepAlive: 30,
    },
  })),
  {
    name: "redis-cli",
    parser: "redis",
    program: "redis-cli",
    args: (port) => ["-p", `${port}`, "get", "key one"],
    fields: { command: "GET", arguments: ["key one"] },
  },
  {
    name: "redis-cli -a",
    parser: "redis",
    program: "redis-cli",
    args: (
      port,
    ) => ["-p", `${port}`, "--user", "joe", "-a", "secret", "-n", "3", "ping"],
    fields: { command: "AUTH", arguments: ["joe", "secret"] },
  },
  {
    name: "dig +tcp",
    parser: "dns",
    program: "dig",
    args: (
      port,
    ) => [
      "+tcp",
      "+tries=1",
      "@127.0.0.1",
      "-p",
      `${port}`,
      "WWW.Example.com.",
      "AAAA",
    ],
    fields: { names: ["www.example.com"], types: ["AAAA"] },
  },
  {
    name: "openssl s_client -starttls xmpp",
    parser: "xmpp",
    program: "openssl",
    args: (port) =>
      openssl(port, "-starttls", "xmpp", "-xmpphost", "Chat.Example.com"),
    fields: { to: "chat.example.com", namespace: "jabber:client" },
  },
  {
    name: "openssl s_client -starttls xmpp-server",
    parser: "xmpp",
    program: "openssl",
    args: (port) =>
      openssl(
        port,
        "-starttls",
        "xmpp-server",
        "-xmpphost",
        "chat.example.com",
      ),
    fields: { to: "chat.example.com", namespace: "jabber:server" },
  },
];
