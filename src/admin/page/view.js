// @ts-check
/// <reference lib="dom" />
/** @import { ConnectionEntry, Member, Pool, Status } from "../json_types.ts" */
import { post, Unauthorized } from "./api.js";
import { Connections } from "./connections.js";
import { find, html, setText } from "./dom.js";
import { duration, plural, text } from "./format.js";
import { confirm, reasonOf, say } from "./notice.js";
import { Overview } from "./overview.js";
import * as tables from "./tables.js";

/** Shows what the admin server answers, and does what buttons say. */
export class View {
  #overview = new Overview();
  #workers = tables.workersTable();
  #listeners = tables.listenersTable();
  #ended = tables.countsTable("Ends", "End", "No connection has ended yet.");
  #limits = tables.countsTable("Limits", "Limit", "No limit was met yet.");
  #pools = tables.poolsTable((member, on) => this.#drain(member, on));
  #routes = tables.routesTable();
  #remotes = tables.remotesTable();
  #connections;
  #errors = tables.errorsTable();
  #lines = html("pre", { tabindex: "0", "aria-label": "Configuration" });
  #refresh;
  /** The configuration that is shown. */
  #shown = "";

  /** @param {() => Promise<void>} refresh Has all shown anew. */
  constructor(refresh) {
    this.#refresh = refresh;
    this.#connections = new Connections(refresh, (one) => this.#close(one));
    find("content", HTMLElement).append(
      section("Overview", "wide", this.#overview.element),
      section("Workers", "", this.#workers.element, this.#listeners.element),
      section("Ends and limits", "", this.#ended.element, this.#limits.element),
      section("Pools", "wide", this.#pools.element),
      section("Routes", "", this.#routes.element),
      section("Remotes", "", this.#remotes.element),
      section("Connections", "wide", this.#connections.element),
      section("Errors", "wide", this.#errors.element),
      section("Configuration", "wide", this.#lines),
    );
  }

  /**
   * Tells what to ask for, and who shows the answer.
   *
   * @param {Status} status What the proxy says of itself.
   * @returns {(readonly [path: string, show: (answer: any) => void])[]}
   */
  parts({ startedAt, reloads }) {
    const { query } = this.#connections;
    const configuration = `${startedAt} ${reloads.count}`;
    return [
      ["history", (answer) => this.#overview.draw(answer)],
      ["pools", (list) => this.#showPools(list)],
      ["routes", (list) => fill(this.#routes, list, "route")],
      ["remotes", (list) => fill(this.#remotes, list, "remote")],
      ["errors", (list) => fill(this.#errors, list, "message")],
      ...query === undefined ? [] : /** @type {const} */ ([[
        `connections?${query}`,
        (/** @type {any} */ list) => this.#connections.update(list),
      ]]),
      ...configuration === this.#shown ? [] : /** @type {const} */ ([[
        "config",
        (/** @type {any} */ { lines }) => {
          setText(this.#lines, lines.join("\n"));
          this.#shown = configuration;
        },
      ]]),
    ];
  }

  /** @param {Status} status What the proxy says of itself. */
  show(status) {
    const { workers } = status;
    const generations = new Set(workers.map(({ generation }) => generation));
    this.#overview.update(status);
    this.#workers.caption = `${plural(workers.length, "thread")}, ${
      plural(generations.size, "generation")
    }`;
    this.#workers.update(workers);
    this.#listeners.update(status.listeners);
    this.#ended.update(counted(status.ended));
    this.#limits.update(counted(status.limits));
  }

  /** @param {readonly Pool[]} list */
  #showPools(list) {
    const members = list.flatMap(({ name, policy, members }) =>
      members.map((member) => ({ ...member, pool: name, policy }))
    );
    const down = members.filter(({ state }) => state.endsWith("down")).length;
    this.#pools.caption = `${plural(list.length, "pool")}, ${
      plural(down, "member")
    } down`;
    this.#pools.update(members);
  }

  /**
   * @param {Member & { pool: string }} member
   * @param {boolean} on
   */
  async #drain({ pool, remote }, on) {
    const call = on ? "drain" : "undrain";
    const query = new URLSearchParams({ remote });
    await this.#act(
      `pools/${encodeURIComponent(pool)}/${call}?${query}`,
      `${remote} of ${pool} is ${
        on ? "drained: it gets no new connections" : "in use again"
      }.`,
      `Cannot ${call} ${remote} of ${pool}`,
    );
  }

  /** @param {ConnectionEntry} connection */
  async #close({ id, client, remote, seconds }) {
    const sure = await confirm(
      `Close connection ${id}?`,
      `Client ${client}, remote ${text(remote)}, open for ${
        duration(seconds)
      }. Both sides are closed at once.`,
      "Close the connection",
    );
    if (!sure) return;
    await this.#act(
      `connections/${encodeURIComponent(id)}/close`,
      `Connection ${id} of ${client} is closed.`,
      `Cannot close connection ${id} of ${client}`,
    );
    this.#connections.focus();
  }

  /**
   * Changes something, says so, and shows it.
   *
   * @param {string} path
   * @param {string} done
   * @param {string} failed
   */
  async #act(path, done, failed) {
    try {
      await post(path);
      say(done);
    } catch (error) {
      // the refresh asks for the token
      if (!(error instanceof Unauthorized)) {
        say(`${failed}: ${reasonOf(error)}`, "bad");
      }
    }
    await this.#refresh();
  }
}

/**
 * Shows a list, and of how many.
 *
 * @template T
 * @param {import("./table.js").Table<T>} table
 * @param {readonly T[]} list
 * @param {string} noun
 */
function fill(table, list, noun) {
  table.caption = plural(list.length, noun);
  table.update(list);
}

/** @param {Readonly<Record<string, number>>} counts */
function counted(counts) {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => ({ name, count }));
}

/**
 * @param {string} title
 * @param {string} kind
 * @param {...Node} children
 */
function section(title, kind, ...children) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  return html(
    "section",
    { class: kind, "aria-labelledby": id },
    html("h2", { id }, title),
    ...children,
  );
}
