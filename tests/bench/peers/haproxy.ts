/**
 * HAProxy in TCP mode with one thread, plain and with a router in Lua.
 *
 * @module
 */

import type { Child, Stage } from "../stage.ts";
import type { Setup } from "../peers.ts";
import { luaRouter } from "./routers.ts";

/**
 * Starts HAProxy on `setup.port`; with a decision per connection if
 * `programmed`.
 */
export function startHaproxy(
  stage: Stage,
  setup: Setup,
  programmed: boolean,
): Child {
  const script = programmed
    ? `lua-load ${stage.write(`${setup.port}.lua`, luaRouter(setup.routing))}`
    : "";
  const decision = programmed
    ? `tcp-request inspect-delay 30s
  tcp-request content lua.route
  use_backend %[var(txn.backend)]`
    : "default_backend upstream";
  const config = `global
  nbthread 1
  # Two descriptors each: as many as 20,000 allow.
  maxconn 9500
  ${script}

defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h

frontend clients
  bind 127.0.0.1:${setup.port} backlog 4096
  ${decision}

backend upstream
  server one ${setup.backend}
`;
  return stage.spawn("haproxy", [
    "haproxy",
    "-db",
    "-f",
    stage.write(`${setup.port}.cfg`, config),
  ]);
}
