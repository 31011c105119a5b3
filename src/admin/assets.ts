/**
 * The files of the status page, which are part of the program.
 *
 * @module
 */

/** A file of the status page. */
export interface Asset {
  /** Its media type. */
  readonly type: string;
  readonly body: string;
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>proxymachine</title>
<script type="module" src="/assets/page.js"></script>
<h1>proxymachine</h1>
<pre id="status"></pre>
</html>
`;

const SCRIPT = `const shown = document.querySelector("#status");
async function show() {
  const response = await fetch("/api/status");
  shown.textContent = JSON.stringify(await response.json(), null, 2);
}
await show();
setInterval(show, 1000);
`;

/** The files by the path of their URL. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", { type: "text/html; charset=utf-8", body: PAGE }],
  ["/assets/page.js", { type: "text/javascript; charset=utf-8", body: SCRIPT }],
]);
