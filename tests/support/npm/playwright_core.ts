// not in the imports of deno.json, so that only who runs the tests fetches it
export * from "npm:playwright-core@^1.65.1";
