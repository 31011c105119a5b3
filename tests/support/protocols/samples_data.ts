import {
  bytes,
  mqttConnect,
  postgresMessage,
  resp,
  sized,
  uint,
  utf8,
  varint,
} from "./builders.ts";
import { type Sample, sample } from "./checks.ts";

/** What clients of PostgreSQL, MQTT and Redis say. */
export function databaseSamples(): Sample[] {
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

/** Headers of XMPP streams. */
export function xmppSamples(): Sample[] {
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
