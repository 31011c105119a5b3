/**
 * The files of the status page, which are part of the program.
 *
 * @module
 */
import api from "./page/api.js" with { type: "text" };
import app from "./page/app.js" with { type: "text" };
import chart from "./page/chart.js" with { type: "text" };
import columns from "./page/columns.js" with { type: "text" };
import connections from "./page/connections.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import page from "./page/index.html" with { type: "text" };
import notice from "./page/notice.js" with { type: "text" };
import overview from "./page/overview.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import table from "./page/table.js" with { type: "text" };
import tables from "./page/tables.js" with { type: "text" };
import view from "./page/view.js" with { type: "text" };

/** A file of the status page. */
export interface Asset {
  /** Its media type. */
  readonly type: string;
  /** Its text. */
  readonly body: string;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const FILES: Readonly<Record<string, string>> = {
  "api.js": api,
  "app.js": app,
  "chart.js": chart,
  "columns.js": columns,
  "connections.js": connections,
  "dom.js": dom,
  "format.js": format,
  "icon.svg": icon,
  "notice.js": notice,
  "overview.js": overview,
  "style.css": style,
  "table.js": table,
  "tables.js": tables,
  "view.js": view,
};

/** Comments on lines of their own, which browsers can do without. */
const COMMENTS = /^ *(?:\/\*\*(?:[^*]|\*(?!\/))*\*\/|\/\/.*)\n/gm;

/** The files by the path of their URL. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", { type: "text/html; charset=utf-8", body: page }],
  ...Object.entries(FILES).map(([name, body]): [string, Asset] => [
    `/assets/${name}`,
    {
      type: TYPES[name.replace(/.*\./, "")] ?? "text/plain",
      body: body.replace(COMMENTS, ""),
    },
  ]),
]);
