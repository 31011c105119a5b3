/**
 * What the proxy says of itself: its metrics, and what its status page asks for.
 *
 * @module
 */

/** What the status page asks for, each second. */
const PAGE = [
  "/api/status",
  "/api/history",
  "/api/connections?limit=100&sort=seconds&order=desc",
  "/api/pools",
  "/api/routes",
  "/api/remotes",
  "/api/errors",
  "/api/config",
] as const;

/** Metrics: values by name and labels, as in `name{label="value"}`. */
export type Metrics = ReadonlyMap<string, number>;

/** Scrapes a proxy, and looks at its status page, over one connection. */
export class Admin implements Disposable {
  readonly #address: string;
  // a second idle connection would count as a descriptor that was lost
  readonly #client = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });

  /** @param address Where the admin server is, as `http://127.0.0.1:9901`. */
  constructor(address: string) {
    this.#address = address;
  }

  /** Reads the metrics. */
  async scrape(): Promise<Metrics> {
    const text = await (await this.#get("/metrics")).text();
    return new Map(
      Array.from(
        text.matchAll(/^([^#\s][^ ]*(?:\{.*\})?) (\S+)$/gm),
        ([, name = "", value]) => [name, Number(value)],
      ),
    );
  }

  /** Asks for all that the status page shows. */
  async look(): Promise<void> {
    for (const path of PAGE) await (await this.#get(path)).json();
  }

  async #get(path: string): Promise<Response> {
    const response = await fetch(`${this.#address}${path}`, {
      client: this.#client,
    });
    if (response.ok) return response;
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#client.close();
  }
}
