// not in the imports of deno.json, so that only who runs the tests fetches it
export * from "npm:dockerfile-utils@^0.16.3";
