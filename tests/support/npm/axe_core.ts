// not in the imports of deno.json, so that only who runs the tests fetches it
export { default } from "npm:axe-core@^4.14.1";
