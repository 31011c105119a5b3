// not in the imports of deno.json, so that only who runs the tests fetches it
export { default } from "npm:fast-check@^4.10.2";
