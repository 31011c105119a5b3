/**
 * Feeding captured bytes to a router, one more at a time, as the slowest client
 * would send them.
 *
 * @module
 */
import type { CompiledTable } from "../routes/compile.ts";
import { PROTOCOL_NAMES, PROTOCOLS } from "../routes/matchers/protocols.ts";
import { formatAddress } from "../net/address.ts";
import {
  type Connect,
  parseDecision,
  type Verdict,
} from "../decision/decision.ts";
import { KEYS, SETTINGS } from "../decision/keys.ts";
import { describe, describeError } from "../lib/errors.ts";
import type { ListenOptions } from "../net/listen.ts";
import type { DryRun, FromWorker } from "./messages.ts";
import type { Client, Router, TcpAddress } from "../router/contract.ts";
import { Preread } from "../router/preread.ts";

const NOWHERE: TcpAddress = {
  transport: "tcp",
  hostname: "127.0.0.1",
  port: 1,
};
const NOTHING = new Preread(new Uint8Array(0));

/** A dry run: who is asked about which client, and where the result goes. */
interface Trial {
  readonly router: Router;
  /** The table that the router was made of, if it was. */
  readonly table: CompiledTable | undefined;
  readonly client: Client;
  readonly print: (text: string) => void;
}

/**
 * Runs a router on bytes. No connection is made.
 *
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
  const client = clientOf(options.listen);
  let failed = false;
  try {
    await run({ router, table, client, print }, options);
  } catch (error) {
    failed = true;
    print(describeError(error));
  }
  send({ type: "dry-run-end", failed });
}

async function run(trial: Trial, options: DryRun): Promise<void> {
  const { router, table, client, print } = trial;
  if (router.accept !== undefined) {
    const verdict = parseDecision(await router.accept(client), "accept", 0);
    if (table !== undefined && verdict.kind !== "wait") {
      print(table.explain(NOTHING, client));
    }
    print(`accept: ${textOf(trial, verdict)}`);
    if (isFinal(verdict)) return;
  }
  const rest = await feed(trial, options);
  if (rest === undefined) return;
  explain(trial, rest);
  print(`no decision after ${options.bytes.length} bytes`);
  if (router.timeout === undefined) return;
  const verdict = parseDecision(
    await router.timeout(rest, client),
    "timeout",
    0,
  );
  print(
    `timeout: ${verdict.kind === "wait" ? "close" : textOf(trial, verdict)}`,
  );
}

/** Feeds the bytes, and returns those that are left without a decision. */
async function feed(
  trial: Trial,
  { bytes, maxPreread }: DryRun,
): Promise<Preread | undefined> {
  const { router, client, print } = trial;
  let consumed = 0;
  let waitedSince: number | undefined;
  const printWait = (end: number) => {
    if (waitedSince !== undefined) print(`${range(waitedSince, end)}: wait`);
    waitedSince = undefined;
  };
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
        printWait(end);
        print(`--max-preread ${maxPreread} bytes and no decision: close`);
        return undefined;
      }
      end++;
      continue;
    }
    printWait(end - 1);
    explain(trial, preread);
    print(`${range(end, end)}: ${textOf(trial, verdict)}`);
    if (isFinal(verdict)) return undefined;
    if (verdict.kind === "reply") consumed += verdict.consume;
    if (consumed === end || verdict.kind === "reply" && !verdict.consume) end++;
  }
  printWait(bytes.length);
  return new Preread(bytes.subarray(consumed));
}

/** The client that is said to have connected to a listener. */
function clientOf(listen: ListenOptions): Client {
  const ends = "path" in listen
    ? {
      remoteAddr: { transport: "unix", path: "" },
      localAddr: { transport: "unix", path: listen.path },
    } as const
    : {
      remoteAddr: NOWHERE,
      localAddr: { ...NOWHERE, port: listen.port || NOWHERE.port },
    };
  return { id: 1, ...ends, listener: listen.name };
}

/** Prints what there is to know of bytes about which the router has decided. */
function explain({ table, client, print }: Trial, data: Preread): void {
  for (const line of recognise(data)) print(line);
  if (table !== undefined) print(table.explain(data, client));
}

/** Writes a decision; the name of a table's route is told with more about it. */
function textOf({ table }: Trial, verdict: Verdict): string {
  const text = describeVerdict(verdict);
  return table !== undefined || verdict.kind === "wait" ||
      verdict.route === undefined
    ? text
    : `${text}, route ${verdict.route}`;
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
      for (const key of SETTINGS) {
        const value = verdict[key];
        if (value !== undefined) parts.push(`${key} ${KEYS[key].show(value)}`);
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
