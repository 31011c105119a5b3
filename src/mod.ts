/**
 * What a router imports from `proxymachine`: the types of the contract, and the
 * few values that a router works with.
 *
 * @example A router: a module exports it by default
 * ```ts
 * import { latin1, Preread, type Router } from "proxymachine";
 * import assert from "node:assert/strict";
 *
 * const router = {
 *   route(data) {
 *     const host = data.match(/\r\nHost: *([^\r\n:]+)/i)?.[1];
 *     if (host === undefined) return { noop: true };
 *     return { remote: host === "a.example" ? "10.0.0.1:80" : "10.0.0.2:80" };
 *   },
 *   connectError(remote, error) {
 *     return { close: `HTTP/1.1 502 Bad Gateway\r\n\r\n${remote}: ${error.message}\n` };
 *   },
 * } satisfies Router;
 *
 * const request = latin1("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
 * assert.deepEqual(router.route(new Preread(request)), { remote: "10.0.0.1:80" });
 * ```
 *
 * @module
 */
export type { Bytes } from "./router/bytes.ts";
export type {
  Address,
  Answer,
  Client,
  ClientTls,
  Hook,
  LastAnswer,
  RouteFunction,
  Router,
  TcpAddress,
  UnixAddress,
} from "./router/contract.ts";
export type {
  CloseDecision,
  CloseKeys,
  ConnectKeys,
  Decision,
  DecisionKey,
  DecisionKeys,
  DecisionKind,
  NamedKeys,
  NoopDecision,
  NoopKeys,
  OriginalKey,
  PoolDecision,
  PoolKeys,
  RemoteDecision,
  RemoteKeys,
  RemoteTls,
  ReplyDecision,
  ReplyKeys,
  Without,
} from "./router/decision.ts";
export { latin1 } from "./router/latin1.ts";
export { Preread } from "./router/preread.ts";
export { RegExpMap } from "./router/regexp_map.ts";
