/**
 * Feeding captured bytes to a router, one more at a time, as the slowest client
 * would send them.
 *
 * @module
 */
import type { CompiledTable } from "../routes/compile.ts";
import { PROTOCOL_NAMES, PROTOCOLS } from "../routes/protocols.ts";
import { formatAddress } from "../net/address.ts";
import {
  type Connect,
  parseDecision,
  TIMES,
  type Verdict,
} from "../decision/decision.ts";
import { describe, describeError } from "../lib/errors.ts";
import type { DryRun, FromWorker } from "./messages.ts";
import type { Client, Router, TcpAddress } from "../router/contract.ts";
import { Preread } from "../router/preread.ts";

const NOWHERE: TcpAddress = {
  transport: "tcp",
  hostname: "127.0.0.1",
  port: 1,
};
const NOTHING = new Preread(new Uint8Array(0));

/**
 * Runs a router on bytes. No connection is made.
 *
 * @param router The router.
 * @param table The table that it was made of, if it was.
 * @param options The bytes, how many of them it may ask for, and the listener
 * that they came to.
 * @param send Takes each line of the result, and its end.
 */
export async function dryRun(
  router: Router,
  table: CompiledTable | undefined,
  options: DryRun,
  send: (message: FromWorker) => void,
): Promise<void> {
  const print = (text: string) => send({ type: "dry-run-line", text });
  let failed = false;
  try {
    await run(router, table, options, print);
  } catch (error) {
    failed = true;
    print(describeError(error));
  }
  send({ type: "dry-run-end", failed });
}

async function run(
  router: Router,
  table: CompiledTable | undefined,
  { bytes, maxPreread, listen }: DryRun,
  print: (text: string) => void,
): Promise<void> {
  const client: Client = {
    id: 1,
    ..."path" in listen
      ? {
        remoteAddr: { transport: "unix", path: "" },
        localAddr: { transport: "unix", path: listen.path },
      }
      : {
        remoteAddr: NOWHERE,
        localAddr: { ...NOWHERE, port: listen.port || NOWHERE.port },
      },
    listener: listen.name,
  };
  const explain = (data: Preread) => {
    for (const line of recognise(data)) print(line);
    if (table !== undefined) print(table.explain(data, client));
  };
  // the name of a table's route is told with more about it
  const textOf = (verdict: Verdict) =>
    describeVerdict(verdict) +
    (table === undefined && verdict.kind !== "wait" &&
        verdict.route !== undefined
      ? `, route ${verdict.route}`
      : "");
  if (router.accept !== undefined) {
    const verdict = parseDecision(await router.accept(client), "accept", 0);
    if (table !== undefined && verdict.kind !== "wait") {
      print(table.explain(NOTHING, client));
    }
    print(`accept: ${textOf(verdict)}`);
    if (isFinal(verdict)) return;
  }
  let consumed = 0;
  let waitedSince: number | undefined;
  for (let end = 1; end <= bytes.length;) {
    const data = bytes.subarray(consumed, end);
    const preread = new Preread(data);
    const verdict = parseDecision(
      await router.route?.(preread, client),
      "route",
      data.length,
    );
    if (verdict.kind === "wait") {
      waitedSince ??= end;
      if (data.length === maxPreread) {
        print(`${range(waitedSince, end)}: wait`);
        return print(
          `--max-preread ${maxPreread} bytes and no decision: close`,
        );
      }
      end++;
      continue;
    }
    if (waitedSince !== undefined) {
      print(`${range(waitedSince, end - 1)}: wait`);
    }
    waitedSince = undefined;
    explain(preread);
    print(`${range(end, end)}: ${textOf(verdict)}`);
    if (isFinal(verdict)) return;
    if (verdict.kind === "reply") consumed += verdict.consume;
    if (consumed === end || verdict.kind === "reply" && !verdict.consume) end++;
  }
  if (waitedSince !== undefined) {
    print(`${range(waitedSince, bytes.length)}: wait`);
  }
  explain(new Preread(bytes.subarray(consumed)));
  print(`no decision after ${bytes.length} bytes`);
  if (router.timeout === undefined) return;
  const verdict = parseDecision(
    await router.timeout(new Preread(bytes.subarray(consumed)), client),
    "timeout",
    0,
  );
  print(
    `timeout: ${verdict.kind === "wait" ? "close" : textOf(verdict)}`,
  );
}

/** The protocols that the bytes are, with what their parsers have read. */
function recognise(data: Preread): string[] {
  return PROTOCOL_NAMES.flatMap((name) => {
    const message = PROTOCOLS[name].parse(data);
    return message ? [`${name}: ${describe(fieldsOf(message))}`] : [];
  });
}

/** What a parser has read; headers as a plain object. */
function fieldsOf(message: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(message).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const isLookup = typeof value?.get === "function";
      return [[name, isLookup ? Object.fromEntries(value) : value]];
    }),
  );
}

function isFinal(verdict: Verdict): boolean {
  return verdict.kind === "connect" || verdict.kind === "close";
}

function range(first: number, last: number): string {
  return first === last ? `byte ${first}` : `bytes ${first}-${last}`;
}

/** Writes a decision on one line. */
function describeVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case "wait":
      return "wait";
    case "close":
      return verdict.data === undefined
        ? "close"
        : `close after ${quote(verdict.data)}`;
    case "reply":
      return `reply ${quote(verdict.reply)}, consume ${verdict.consume}`;
    case "connect": {
      const parts = [describeRemote(verdict)];
      if (verdict.data) parts.push(`data ${quote(verdict.data)}`);
      if (verdict.reply) parts.push(`reply ${quote(verdict.reply)}`);
      for (const key of TIMES) {
        const time = verdict[key];
        if (time !== undefined) parts.push(`${key} ${time / 1000}`);
      }
      if (verdict.proxyProtocol !== undefined) {
        parts.push(`proxyProtocol ${verdict.proxyProtocol}`);
      }
      if (verdict.tls) {
        const { serverName } = verdict.tls;
        parts.push(serverName === undefined ? "tls" : `tls with ${serverName}`);
      }
      return parts.join(", ");
    }
  }
}

function describeRemote({ targets, pool }: Connect): string {
  if (pool === undefined) {
    const addresses = targets.map(({ address }) => formatAddress(address));
    return `remote ${addresses.join(" | ")}`;
  }
  const { pool: { name, plan: { policy } }, key } = pool;
  return `pool ${name} (${policy})${
    key === undefined ? "" : `, key ${quote(key)}`
  }`;
}

/** Shows bytes as a string literal, shortened. */
function quote(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, 64), (byte) => {
    if (byte === 0x0a) return "\\n";
    if (byte === 0x0d) return "\\r";
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte < 0x20 || byte > 0x7e
      ? `\\x${byte.toString(16).padStart(2, "0")}`
      : String.fromCharCode(byte);
  }).join("");
  return bytes.length > 64 ? `"${text}"… (${bytes.length} bytes)` : `"${text}"`;
}
