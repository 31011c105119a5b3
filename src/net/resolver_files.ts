/**
 * What the system says about names: `/etc/resolv.conf` and `/etc/hosts`.
 *
 * @module
 */

/** A name server. */
export interface NameServer {
  /** An IP address. */
  readonly hostname: string;
  readonly port: number;
}

/** What `/etc/resolv.conf` says (resolv.conf(5)). */
export interface ResolverConfig {
  /** In the order in which they are asked; at least one. */
  readonly servers: readonly NameServer[];
  /** Domains that are appended to names with few dots. */
  readonly search: readonly string[];
  /** From this number of dots on, a name is tried as it is first. */
  readonly ndots: number;
  /** Milliseconds after which a name server counts as silent. */
  readonly timeout: number;
  /** How often all name servers are asked, at most. */
  readonly attempts: number;
  /** Each question begins with another name server. */
  readonly rotate: boolean;
}

/** The names of `/etc/hosts` in lower case, each with its addresses. */
export type Hosts = ReadonlyMap<string, readonly string[]>;

/** What the system says about names, as far as it may be read. */
export interface SystemNames {
  /** `/etc/resolv.conf`. */
  readonly resolver: ResolverConfig | undefined;
  /** `/etc/hosts`. */
  readonly hosts: Hosts | undefined;
}

/** The most name servers that are asked, as in glibc's resolver. */
const MAX_SERVERS = 3;

/** The most search domains (glibc has no limit since 2.26). */
const MAX_SEARCH = 32;

/** The most lines of a file that are read: a hosts file may be a block list. */
const MAX_LINES = 500_000;

/**
 * Reads `/etc/resolv.conf`.
 *
 * @param text The content of the file.
 * @returns What it says; what it leaves out has the defaults of resolv.conf(5).
 */
export function parseResolvConf(text: string): ResolverConfig {
  const servers: NameServer[] = [];
  let search: readonly string[] = [];
  const options = { ndots: 1, timeout: 5, attempts: 2, rotate: false };
  for (const line of text.split("\n", MAX_LINES)) {
    const [keyword = "", ...values] = words(line.replace(/[#;].*$/, ""));
    if (keyword === "nameserver") {
      const [hostname] = values;
      if (hostname !== undefined && servers.length < MAX_SERVERS) {
        servers.push({ hostname, port: 53 });
      }
    } else if (keyword === "search" || keyword === "domain") {
      search = values.slice(0, MAX_SEARCH).map(withoutDot);
    } else if (keyword === "options") {
      for (const option of values) readOption(option, options);
    }
  }
  if (servers.length === 0) servers.push({ hostname: "127.0.0.1", port: 53 });
  return {
    servers,
    search: search.filter((domain) => domain !== ""),
    ...options,
    timeout: options.timeout * 1000,
  };
}

/** Reads one option, within the limits of resolv.conf(5). */
function readOption(
  option: string,
  options: {
    ndots: number;
    timeout: number;
    attempts: number;
    rotate: boolean;
  },
): void {
  if (option === "rotate") options.rotate = true;
  const [, name, digits] =
    /^(ndots|timeout|attempts):(\d{1,3})$/.exec(option) ??
      [];
  const value = Number(digits);
  if (name === "ndots") options.ndots = Math.min(value, 15);
  if (name === "timeout") options.timeout = Math.min(Math.max(value, 1), 30);
  if (name === "attempts") options.attempts = Math.min(Math.max(value, 1), 5);
}

/**
 * Reads `/etc/hosts` (hosts(5)).
 *
 * @param text The content of the file.
 * @returns All names, with the addresses of all lines that have them.
 */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, string[]>();
  for (const line of text.split("\n", MAX_LINES)) {
    const [address, ...names] = words(line.replace(/#.*$/, ""));
    if (address === undefined || !/^[\da-f:.]+(%[\w.-]+)?$/i.test(address)) {
      continue;
    }
    for (const name of names) {
      const key = withoutDot(name.toLowerCase());
      const addresses = hosts.get(key);
      if (addresses === undefined) hosts.set(key, [address]);
      else if (!addresses.includes(address)) addresses.push(address);
    }
  }
  return hosts;
}

/**
 * The names that are asked for, one after the other, until one exists
 * (resolv.conf(5), `search` and `ndots`).
 *
 * @param name A host name; with a dot at its end it is asked for as it is.
 * @param config Says which domains are appended.
 */
export function searchNames(
  name: string,
  { search, ndots }: Pick<ResolverConfig, "search" | "ndots">,
): readonly string[] {
  if (name.endsWith(".")) return [withoutDot(name)];
  const appended = search.map((domain) => `${name}.${domain}`);
  const dots = name.split(".").length - 1;
  return dots >= ndots ? [name, ...appended] : [...appended, name];
}

function words(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== "");
}

function withoutDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
