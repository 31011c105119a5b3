import { assertNotEquals } from "@std/assert";
import { type ParserName, parsers } from "./checks.ts";
import type { RealClient } from "./clients.ts";

/** Which Debian package a program is in. */
const PACKAGES: Readonly<Record<string, string>> = {
  curl: "curl",
  dig: "bind9-dnsutils",
  git: "git",
  "gnutls-cli": "gnutls-bin",
  mosquitto_pub: "mosquitto-clients",
  openssl: "openssl",
  psql: "postgresql-client",
  "redis-cli": "redis-tools",
  ssh: "openssh-client",
};
/** Milliseconds. */
const TIME_LIMIT = 20_000;

/** Runs a client and returns its message, up to the byte that decides. */
export async function capture(client: RealClient): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const child = spawn(client, listener.addr.port);
  const errors = new Response(child.stderr).text();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT);
  let hasEnded = false;
  const ended = child.status.then(() => {
    hasEnded = true;
    listener.close();
  });
  try {
    using conn = await listener.accept();
    let received: Uint8Array = new Uint8Array();
    for (const { parser, reply } of client.dialogue ?? []) {
      received = await readMessage(conn, parser, received);
      const { length } = parsers[parser](received) as { length: number };
      received = received.slice(length);
      await conn.write(new Uint8Array(reply));
    }
    return upToDecision(
      client.parser,
      await readMessage(conn, client.parser, received),
    );
  } catch (cause) {
    if (!hasEnded) child.kill("SIGKILL");
    throw new Error(
      `Cannot get the first message of ${client.name}: ${await errors}`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
    if (!hasEnded) child.kill("SIGKILL");
    await ended;
    await errors;
  }
}

function spawn(
  { program, args, env }: RealClient,
  port: number,
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args(port)],
      env: { ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    const message =
      `Cannot run ${program} as it is not installed: apt-get install ${
        PACKAGES[program] ?? program
      }`;
    throw new Error(message, { cause });
  }
}

/** Reads until the parser has an answer. */
async function readMessage(
  conn: Deno.Conn,
  parser: ParserName,
  received: Uint8Array,
): Promise<Uint8Array> {
  const chunk = new Uint8Array(65_536);
  let message = received;
  while (parsers[parser](message) === undefined) {
    const length = await conn.read(chunk);
    assertNotEquals(length, null, `it closed after ${message.length} bytes`);
    message = new Uint8Array([...message, ...chunk.subarray(0, length ?? 0)]);
  }
  assertNotEquals(
    parsers[parser](message),
    null,
    `${parser}() refuses it: ${message}`,
  );
  return message;
}

function upToDecision(parser: ParserName, message: Uint8Array): Uint8Array {
  let length = 0;
  while (parsers[parser](message.subarray(0, length)) === undefined) length++;
  return message.subarray(0, length);
}
