// not in the imports of deno.json, so that only who runs the tests fetches it
export { default } from "npm:typescript@^5.9.3";
