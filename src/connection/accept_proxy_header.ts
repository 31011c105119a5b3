/**
 * Headers of the PROXY protocol, which load balancers put in front of the
 * client's bytes to say who the client is.
 *
 * @module
 */
import { describe } from "../lib/errors.ts";
import {
  proxyProtocol,
  type ProxyProtocolAddress,
  type ProxyProtocolHeader,
} from "../protocols/proxy_protocol.ts";
import type { Address } from "../router/contract.ts";
import { formatAddress, parseSocketPath } from "../net/address.ts";
import type { Connection } from "./connection.ts";
import { contains, type Network, parseIp, parseNetwork } from "../net/cidr.ts";

/**
 * Milliseconds for the header, or less if `--preread-timeout` is: senders send
 * it at once, and the specification asks to wait for a lost segment (3 seconds).
 */
const TIMEOUT = 5_000;

/**
 * Bytes that a header may have, of the 65,551 of the format: as many as HAProxy
 * takes, which is enough for a client's certificate among the TLVs.
 */
const MAX_LENGTH = 16_384;

/** How many bytes a header of version 2 has before its addresses. */
const V2_FIXED = 16;

/**
 * Reads the header of a connection. It is required, and never guessed: without
 * a valid one from a peer that may send it, the connection is ended and logged.
 *
 * @param connection In the stage `admit`, with an empty buffer.
 * @returns Whether the header was read. Then `info` has the addresses in it, or
 * still those of the socket if it names none, and the buffer has what came
 * behind it.
 */
export async function acceptProxyHeader(
  connection: Connection,
): Promise<boolean> {
  const { context, info } = connection;
  if (!isTrusted(connection)) {
    context.log.warn(
      "Cannot read the PROXY header of {client} as --accept-proxy does not include that address",
      connection.who,
    );
    connection.end("proxy-untrusted");
    return false;
  }
  connection.onStageTimeout = timedOut;
  connection.clocks.start(timeout(connection), connection.started);
  const header = await read(connection);
  if (header === undefined) return false;
  const { source, destination, length } = header;
  const remoteAddr = streamAddress(source);
  const localAddr = streamAddress(destination);
  if (remoteAddr !== undefined && localAddr !== undefined) {
    if (context.log.verbose) {
      context.log.debug("{client} is a proxy for {source}", {
        ...connection.who,
        source: formatAddress(remoteAddr),
      });
    }
    info.remoteAddr = remoteAddr;
    info.localAddr = localAddr;
  }
  connection.buffer.copyWithin(0, length, connection.length);
  connection.length -= length;
  // the header is not the client's
  connection.received += connection.length;
  return true;
}

function timedOut(connection: Connection): void {
  endUnread(
    connection,
    `it must come within ${timeout(connection) / 1000} seconds`,
    "proxy-timeout",
  );
}

function timeout({ context: { options } }: Connection): number {
  return Math.min(TIMEOUT, options.prereadTimeout);
}

/** Reads into the buffer until it has the header. */
async function read(
  connection: Connection,
): Promise<ProxyProtocolHeader | undefined> {
  const { client, context: { options } } = connection;
  for (let needed = 1;;) {
    // as the header is longer than what there is, no more than --max-preread
    // bytes can follow it
    const space = connection.freeSpace(
      connection.length + 1 + options.maxPreread,
    );
    let count;
    try {
      count = await client.read(space);
    } catch {
      connection.end("client-reset");
      return undefined;
    }
    if (connection.isClosed()) return undefined;
    if (count === 0) {
      // load balancers that check whether the port is open send nothing
      if (connection.length === 0) connection.end("client-left");
      else endUnread(connection, "it must be complete", "proxy-invalid");
      return undefined;
    }
    connection.length += count;
    if (connection.length < needed) continue;
    const bytes = connection.buffer.subarray(0, connection.length);
    const header = proxyProtocol(bytes);
    if (header === null) {
      endUnread(connection, "it must be of version 1 or 2", "proxy-invalid");
      return undefined;
    }
    if (header !== undefined) return header;
    needed = neededLength(bytes);
    if (needed > MAX_LENGTH) {
      endUnread(
        connection,
        `it must have at most ${MAX_LENGTH} bytes`,
        "proxy-invalid",
      );
      return undefined;
    }
  }
}

/** How many bytes there must be before the header can be complete. */
function neededLength(incomplete: Uint8Array): number {
  // only version 2 can be that long
  if (incomplete[0] !== 0x0d || incomplete.length < V2_FIXED) return 1;
  return V2_FIXED + ((incomplete[14] ?? 0) << 8 | (incomplete[15] ?? 0));
}

/** Says why the header cannot be read, and ends the connection. */
function endUnread(
  connection: Connection,
  rule: string,
  reason: "proxy-invalid" | "proxy-timeout",
): void {
  const { buffer, context: { log }, length, who } = connection;
  const start = String.fromCharCode(
    ...buffer.subarray(0, Math.min(64, length)),
  );
  const value = length === 0
    ? "nothing"
    : `${describe(start)} (${length} bytes)`;
  log.warn(
    "Cannot read the PROXY header of {client} as {rule}: current value is {value}",
    { ...who, rule, value },
  );
  connection.end(reason);
}

/** The address in the form that routers get; `undefined` if it is of datagrams. */
function streamAddress(
  address: ProxyProtocolAddress | undefined,
): Address | undefined {
  if (address === undefined) return undefined;
  if ("path" in address) {
    if (address.transport !== "unix") return undefined;
    const isPath = typeof parseSocketPath(`unix:${address.path}`) === "object";
    return { transport: "unix", path: isPath ? address.path : "" };
  }
  if (address.transport !== "tcp") return undefined;
  return { transport: "tcp", hostname: address.hostname, port: address.port };
}

/** The networks of each list that a listener has. */
const networks = new WeakMap<readonly string[], readonly Network[]>();

function isTrusted({ info, listener: { acceptProxy } }: Connection): boolean {
  if (acceptProxy === undefined || acceptProxy === true) return true;
  let known = networks.get(acceptProxy);
  if (known === undefined) {
    known = acceptProxy.map(parseNetwork)
      .filter((network) => typeof network !== "string");
    networks.set(acceptProxy, known);
  }
  const { remoteAddr } = info;
  if (remoteAddr.transport !== "tcp") return false;
  const address = parseIp(remoteAddr.hostname);
  return address !== undefined &&
    known.some((network) => contains(network, address));
}
