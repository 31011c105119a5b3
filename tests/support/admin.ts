/**
 * The program with an admin server.
 *
 * @module
 */
import { Proxy, type ProxyOptions } from "./proxy.ts";

/** The program with an admin server. */
export interface AdminProxy extends AsyncDisposable {
  readonly proxy: Proxy;
  /** Such as `http://127.0.0.1:9901`. */
  readonly admin: string;
  /** Reads from the API, and fails unless the status is 200. */
  // deno-lint-ignore no-explicit-any -- what comes is compared with what should
  get(path: string, init?: RequestInit): Promise<any>;
}

/**
 * Starts the program with an admin server on any port.
 *
 * @param router The text of a module or a route table, or its URL.
 * @param options How to start it; `args` are those that come after `--admin`.
 */
export async function startAdmin(
  router: string | URL,
  options: ProxyOptions = {},
): Promise<AdminProxy> {
  const proxy = await Proxy.start(router, {
    ...options,
    args: ["--admin", "127.0.0.1:0", ...options.args ?? ["-w", "1"]],
  });
  const admin = await adminOf(proxy);
  return {
    proxy,
    admin,
    async get(path, init) {
      const response = await fetch(`${admin}${path}`, init);
      if (response.status !== 200) {
        throw new Error(`${path}: ${response.status} ${await response.text()}`);
      }
      return await response.json();
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** The address of the admin server, from the log. */
export async function adminOf(proxy: Proxy): Promise<string> {
  const line = await proxy.log.find("Status page at ");
  return (/http:[^"\s]+(?=\/)/.exec(line) as RegExpExecArray)[0];
}

/** What curl prints, the headers of the answer included. */
export async function curl(...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command("curl", {
    args: ["-si", "--path-as-is", "--max-time", "30", ...args],
  }).output();
  return new TextDecoder().decode(stdout);
}
