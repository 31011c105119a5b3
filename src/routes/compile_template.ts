/**
 * Texts with variables compiled into functions that fill them in.
 *
 * @module
 */
import { DecisionError } from "../decision/decision.ts";
import { describe } from "../lib/errors.ts";
import type { Address } from "../router/contract.ts";
import type { Call } from "./matchers/call.ts";
import { readField } from "./matchers/protocols.ts";
import type { Template, Variable } from "./route_table.ts";
import { captureBytes, captureField, type Mentions } from "./template.ts";

/**
 * Compiles a template.
 *
 * @param known What the match of its route asks for.
 * @param bracketed Whether IPv6 addresses are put into brackets.
 * @returns Makes the text; throws a `DecisionError` if the client has not sent
 * what it needs.
 */
export function compileTemplate(
  template: Template,
  known: Mentions,
  name: string,
  bracketed: boolean,
): (call: Call) => string {
  if (template.every((part) => typeof part === "string")) {
    const text = template.join("");
    return () => text;
  }
  return (call) => {
    let text = "";
    for (const part of template) {
      if (typeof part === "string") {
        text += part;
        continue;
      }
      const value = valueOf(part, known, call);
      if (value === undefined) {
        // a client of a socket file has no address
        const who = part.source === "client" || part.source === "local"
          ? "the client must have it"
          : "the client must send it";
        throw new DecisionError(
          `Cannot fill in \${${part.text}} of ${name} as ${who}: current value is nothing`,
        );
      }
      if (!bracketed) text += printable(value, part, name);
      else text += isIpv6(value, part) ? `[${value}]` : value;
    }
    return text;
  };
}

function valueOf(
  variable: Variable,
  known: Mentions,
  call: Call,
): string | undefined {
  const { source, field, key, group } = variable;
  const { remoteAddr, localAddr, listener, tls } = call.client;
  switch (source) {
    case "client":
      if (field === "serverName" || field === "alpn") return tls?.[field];
      return ofAddress(remoteAddr, field);
    case "local":
      if (field === "listener") return listener;
      return ofAddress(localAddr, field);
    case "bytes":
      return captureBytes(group ?? "", known, call.data.text);
  }
  const message = call.parse(source);
  if (!message) return undefined;
  const value = readField(message, field, key);
  if (value === undefined) return undefined;
  const values = typeof value === "string" ? [value] : value;
  return group === undefined
    ? values[0]
    : captureField(variable, known, values);
}

function ofAddress(address: Address, field: string): string | undefined {
  if (address.transport === "unix") return undefined;
  return field === "port" ? String(address.port) : address.hostname;
}

/** Tells addresses; other texts with colons are taken as they are. */
function isIpv6(value: string, { field, group }: Variable): boolean {
  return group === undefined && value.includes(":") &&
    ["address", "host", "serverName", "to"].includes(field);
}

/** What a client sent must not end a line of the answer. */
function printable(value: string, variable: Variable, name: string): string {
  if (!/\p{Cc}/u.test(value)) return value;
  throw new DecisionError(
    `Cannot fill in \${${variable.text}} of ${name} as it must have no control characters: current value is ${
      describe(value)
    }`,
  );
}
