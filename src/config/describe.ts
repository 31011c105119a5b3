/**
 * A configuration as text.
 *
 * @module
 */
import type { AdminOptions } from "../options/admin.ts";
import {
  type Options,
  READ_OPTIONS,
  type ReadOptions,
  valueOf,
} from "../options/options.ts";
import { describeTable } from "../routes/describe.ts";
import { formatAddress } from "../net/address.ts";
import type { ListenOptions } from "../net/listen.ts";
import type { ListenTls } from "../net/listen.ts";
import type { Grant } from "../options/kinds.ts";
import type { RouterSource } from "./router_source.ts";
import { describePool } from "../pool/checked_options.ts";
import type { PoolReport } from "../pool/main_thread.ts";
import { grantedSockets } from "./sandbox.ts";

/**
 * Describes a configuration, for `--check` and the admin server. It has no
 * secrets.
 *
 * @param router The module, the route table, or both.
 * @param hooks The hooks that the module has.
 * @param pools The pools that the router has made.
 * @returns A line for each subject, without its newline.
 */
export function describeConfiguration(
  options: Options,
  router: RouterSource,
  hooks: readonly string[],
  pools: readonly PoolReport[],
): string[] {
  const { grants } = options;
  const { table, url } = router;
  return [
    ...table === undefined
      ? [`router       ${router.name}: ${hooks.join(", ")}`]
      : [
        `table        ${table.file}: ${table.routes.length} routes`,
        ...describeTable(table, url && router.name)
          .map((line) => `             ${line}`),
      ],
    ...pools.map((pool) => `pool         ${describePool(pool)}`),
    `listen       ${options.listen.map(describeListener).join(", ")}`,
    ...describeOptions(options),
    `permissions  net: ${
      describeNet(grants.net ?? true, grantedSockets(options, router))
    }; read: ${describeGrant(grants.read)}; env: ${
      describeGrant(grants.env)
    }; import: ${describeGrant(grants.import)}`,
    `admin        ${describeAdmin(options.admin)}`,
  ];
}

function describeListener(listener: ListenOptions): string {
  const { acceptProxy, name, tls } = listener;
  const address = formatAddress(listener);
  const mode = "mode" in listener && listener.mode !== undefined
    ? ` mode ${listener.mode.toString(8).padStart(3, "0")}`
    : "";
  const parts = [`${address}${name === address ? "" : ` (${name})`}${mode}`];
  if (acceptProxy !== undefined) {
    const peers = acceptProxy === true ? "any peer" : acceptProxy.join(" | ");
    parts.push(`with a PROXY header of ${peers}`);
  }
  if (tls !== undefined) parts.push(describeTls(tls));
  return parts.join(" ");
}

function describeTls({ alpn, certificates }: ListenTls): string {
  const names = certificates.map(({ certFile, names }) =>
    names.join(" | ") || certFile
  );
  const protocols = alpn.length === 0 ? "" : ` (${alpn.join(" | ")})`;
  return `with TLS${protocols} for ${names.join(" | ")}`;
}

/** Socket files are no part of "all". */
function describeNet(net: Grant, sockets: readonly string[]): string {
  if (typeof net !== "boolean") return describeGrant(net);
  return [describeGrant(net), ...sockets.map((path) => `unix:${path}`)].join();
}

/** The lines of the options whose rows say what they are called there. */
function describeOptions(options: ReadOptions): string[] {
  const lines = new Map<string, { text: string; otherwise: string }>();
  for (const option of READ_OPTIONS) {
    const { check, kind, unset, none = "no limit" } = option;
    if (check === undefined) continue;
    const value = valueOf(options, option);
    const text = value === undefined ? undefined : kind.show(value);
    const before = lines.get(check.title);
    lines.set(check.title, {
      text: [before?.text, text].filter(Boolean).join(check.join ?? "; "),
      otherwise: before?.otherwise ?? unset ?? none,
    });
  }
  return [...lines].map(([title, { text, otherwise }]) =>
    `${title.padEnd(12)} ${text || otherwise}`
  );
}

function describeGrant(grant: Grant): string {
  if (grant === true) return "all";
  return grant === false ? "none" : grant.join(",");
}

function describeAdmin(admin: AdminOptions | undefined): string {
  if (admin === undefined) return "off";
  const { tokenFile } = admin;
  const guard = tokenFile === undefined
    ? ""
    : ` with the token of ${tokenFile}`;
  return `http://${formatAddress(admin)}/${guard}`;
}
