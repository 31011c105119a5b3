/**
 * What a router says about a table in Redis, and what it gets.
 *
 * @module
 */

/** Where a table is, and how it is kept. */
export interface RedisTableOptions {
  /**
   * The server, Redis 6 or later: `redis://user:password@host:port/database`,
   * of which only the host is needed; `rediss://` speaks TLS. Characters that
   * mean something in a URL are written as in `%40`.
   */
  url: string;
  /**
   * What the names of its keys begin with: the remote of `a.example` is at
   * `route:a.example`.
   *
   * @default "route:"
   */
  prefix?: string | undefined;
  /**
   * The password, if it does not stand in the URL.
   *
   * @default that of the URL, or none
   */
  password?: string | undefined;
  /**
   * Certificates of authorities (PEM) that are trusted for `rediss://` beside
   * those that the runtime knows.
   *
   * @default none
   */
  ca?: string | readonly string[] | undefined;
  /**
   * Seconds that a look-up may take, and that a server may leave questions
   * unanswered before it counts as gone.
   *
   * @default 1
   */
  timeout?: number | undefined;
  /**
   * How many remotes each worker remembers at most. Beside them, it remembers a
   * quarter as many names that the table does not have.
   *
   * @default 100_000
   */
  maxEntries?: number | undefined;
}

/**
 * What the table has for a key: a value for `remote` in a decision, which may be
 * `pool:` and the name of a pool.
 */
export type TableRemotes = string | readonly string[];

/** A table in Redis, and what this worker remembers of it. */
export interface RedisTable extends Disposable {
  /**
   * Looks up a key. A value that is remembered, and was not changed in Redis
   * since, is there at once; otherwise Redis is asked. While Redis cannot be
   * asked, the last known value holds.
   *
   * A value in Redis is a remote, or several with spaces or commas between, in
   * at most 4096 bytes, or `pool:NAME` for a pool that the router has made. One
   * that is no such thing is logged, and counts as none.
   *
   * @param key The name without the prefix, such as a host name; one of more
   * than 1024 characters is in no table.
   * @returns The remote, or a list of several; `undefined` if the table has
   * none, or it is not known as Redis has not answered in time. The promise is
   * never rejected.
   * @throws {TypeError} If the key is no string.
   */
  get(
    key: string,
  ): TableRemotes | undefined | Promise<TableRemotes | undefined>;
  /**
   * Closes the connection to Redis; from then on, what is remembered holds. A
   * router does not need it: its tables end with the worker.
   */
  close(): void;
}
