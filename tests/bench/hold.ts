/**
 * Holds connections open. Reads one command per line, answers each with `ok` or
 * with what went wrong, and ends with its standard input: so it never outlives
 * the benchmark.
 *
 *     deno run --allow-net hold.ts PORT HOST
 *     set 5000     have that many connections, each of which has been used for one request
 *     check        use every one of them once more
 *
 * @module
 */

const [port = "", host = ""] = Deno.args;
const request = new TextEncoder().encode(
  `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
);
const connections: Deno.TcpConn[] = [];

/** Connections that are being opened or used at the same time. */
const AT_ONCE = 64;

/**
 * One request and its whole answer, which ends with the two bytes of its body.
 */
async function exchange(connection: Deno.TcpConn): Promise<void> {
  await connection.write(request);
  const buffer = new Uint8Array(1_024);
  let answer = "";
  while (!answer.endsWith("\r\n\r\nok")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("a connection was closed");
    answer += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

async function open(): Promise<void> {
  const connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(port),
  });
  connections.push(connection);
  await exchange(connection);
}

async function set(count: number): Promise<void> {
  for (const connection of connections.splice(count)) connection.close();
  let missing = count - connections.length;
  const some = async () => {
    while (missing-- > 0) await open();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

async function check(): Promise<void> {
  const rest = connections.values();
  const some = async () => {
    for (const connection of rest) await exchange(connection);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

let input = "";
for await (
  const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
) {
  const lines = (input + text).split("\n");
  input = lines.pop() ?? "";
  for (const line of lines) {
    const [command, count] = line.split(" ");
    try {
      await (command === "set" ? set(Number(count)) : check());
      console.log("ok");
    } catch (error) {
      console.log(String(error));
    }
  }
}
Deno.exit();
