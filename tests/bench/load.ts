/**
 * The clients: wrk for requests and connections, iperf3 for bulk, and a process
 * of its own that holds connections open. Each says exactly how much work was
 * done, or fails: no error is averaged away.
 *
 * @module
 */

import { HOST } from "./peers/routers.ts";
import type { Stage } from "./stage.ts";

/** What wrk did, and how long each answer took. */
export interface HttpLoad {
  requests: number;
  seconds: number;
  p50Micros: number;
  p99Micros: number;
}

/** What iperf3 moved. */
export interface BulkLoad {
  bytes: number;
  bitsPerSecond: number;
}

/** Options for {@linkcode httpLoad}. */
export interface HttpOptions {
  /** Whole seconds: wrk knows no other. */
  seconds: number;
  connections: number;
  /** A new connection for each request. @default false */
  close?: boolean;
  /**
   * Size of each request in bytes, as far as it can be padded. @default no
   * padding
   */
  size?: number;
}

/**
 * Requests from one thread of wrk over `connections` connections at a time.
 *
 * @throws If a single request failed in any way.
 */
export async function httpLoad(
  stage: Stage,
  port: number,
  options: HttpOptions,
): Promise<HttpLoad> {
  const headers = [`Host: ${HOST}`];
  if (options.close === true) headers.push("Connection: close");
  if (options.size !== undefined) headers.push(padding(options.size, headers));
  const { code, stdout, stderr } = await stage.run([
    "wrk",
    "-t1",
    `-c${options.connections}`,
    `-d${options.seconds}`,
    ...["--latency", "--timeout", "10s"],
    ...headers.flatMap((header) => ["-H", header]),
    `http://127.0.0.1:${port}/`,
  ]);
  const trouble = /^ +(Socket errors:|Non-2xx).*$/m.exec(stdout)?.[0].trim();
  if (code !== 0 || trouble !== undefined) {
    throw new Error(`wrk: ${trouble ?? `status ${code} ${stderr.trim()}`}`);
  }
  const [, requests, time] =
    /^ +(\d+) requests in ([\d.]+\w+),/m.exec(stdout) ?? [];
  if (requests === undefined || time === undefined || requests === "0") {
    throw new Error(`wrk did no request: ${stdout}`);
  }
  return {
    requests: Number(requests),
    seconds: micros(time) / 1e6,
    p50Micros: micros(/^ +50% +(\S+) *$/m.exec(stdout)?.[1]),
    p99Micros: micros(/^ +99% +(\S+) *$/m.exec(stdout)?.[1]),
  };
}

/**
 * One TCP stream of iperf3 from the client to the server behind `port`, or
 * back.
 *
 * @param serverPort Where the proxy connects to; the server lives as long as
 * this one measurement.
 */
export async function bulkLoad(
  stage: Stage,
  port: number,
  serverPort: number,
  options: { seconds: number; reverse: boolean },
): Promise<BulkLoad> {
  const server = stage.spawn("iperf3", [
    ...["iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", String(serverPort)],
  ]);
  try {
    await stage.listening(server, serverPort);
    const { stdout } = await stage.run([
      ...[
        "iperf3",
        "-J",
        "-c",
        "127.0.0.1",
        "-p",
        String(port),
        "-t",
        String(options.seconds),
      ],
      ...(options.reverse ? ["-R"] : []),
    ]);
    const result: {
      error?: string;
      end?: { sum_received?: { bytes: number; bits_per_second: number } };
    } = JSON.parse(stdout);
    const sum = result.end?.sum_received;
    if (result.error !== undefined || sum === undefined || sum.bytes === 0) {
      throw new Error(`iperf3: ${result.error ?? "nothing was received"}`);
    }
    return { bytes: sum.bytes, bitsPerSecond: sum.bits_per_second };
  } finally {
    await server.kill();
  }
}

/** Connections that are open and idle, held by another process. */
export interface Held {
  /**
   * Opens or closes connections until there are `count`; each new one is used
   * once.
   */
  set(count: number): Promise<void>;
  /** Uses every one of them once more. Rejects if any was lost. */
  check(): Promise<void>;
  release(): Promise<void>;
}

/** Starts the process that holds connections to `port`. */
export function holdConnections(stage: Stage, port: number): Held {
  const program = new URL("./hold.ts", import.meta.url).pathname;
  const { child, process } = stage.converse("the holder of connections", [
    ...[
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      program,
    ],
    ...[String(port), HOST],
  ]);
  const commands = process.stdin.getWriter();
  const answers = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  const ask = async (command: string) => {
    await commands.write(new TextEncoder().encode(command + "\n"));
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { value, done } = await answers.read();
      if (done) {
        throw new Error(
          `${child.name} ended: ${child.ended() ?? "no reason given"}`,
        );
      }
      answer += value;
    }
    if (answer !== "ok\n") throw new Error(`${child.name}: ${answer.trim()}`);
  };
  return {
    set: (count) => ask(`set ${count}`),
    check: () => ask("check"),
    release: () => child.kill(),
  };
}

/** A header that makes a request of wrk's `size` bytes long. */
function padding(size: number, headers: readonly string[]): string {
  const used =
    ["GET / HTTP/1.1", ...headers, "X-Padding: ", "", ""].join("\r\n").length;
  return `X-Padding: ${"x".repeat(Math.max(1, size - used))}`;
}

/** `1.5ms` as 1500. */
function micros(duration = ""): number {
  const [, value, unit = ""] = /^([\d.]+)(us|ms|s|m|h)$/.exec(duration) ?? [];
  const scale = { us: 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9 }[unit];
  if (scale === undefined) {
    throw new Error(`Cannot read wrk's duration "${duration}"`);
  }
  return Number(value) * scale;
}
