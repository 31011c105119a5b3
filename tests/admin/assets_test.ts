import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { join } from "node:path";
import { ASSETS } from "../../src/admin/assets.ts";
import { ROOT } from "../support/paths.ts";

const FOLDER = join(ROOT, "src", "admin", "page");

Deno.test("the program has all files of the page, and together they are small", async () => {
  const files = (await Array.fromAsync(Deno.readDir(FOLDER)))
    .map(({ name }) => name === "index.html" ? "/" : `/assets/${name}`);
  assertEquals([...ASSETS.keys()].toSorted(), files.toSorted());
  const bodies = [...ASSETS.values()].map(({ body }) => body);
  assert(bodies.join("").length < 60_000);
});

Deno.test("the page names no other host, and makes no HTML of texts", () => {
  for (const [path, { body }] of ASSETS) {
    assertNotMatch(
      body,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|eval|Function\(|createContextualFragment|setHTML|parseFromString/,
      path,
    );
    assertNotMatch(
      body.replaceAll("http://www.w3.org/2000/svg", ""),
      /\w+:\/\//,
      path,
    );
    // the policy allows neither inline scripts nor inline styles
    assertNotMatch(body, /<style|<script>| style=| on\w+=/, path);
  }
});
