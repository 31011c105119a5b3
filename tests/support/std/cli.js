// @ts-self-types="./cli.d.ts"
// not mod.js, which needs a file that the package lacks
export * from "npm:deno-std@^1.4.0/cli/parse_args.js";
