/**
 * Makes the JSON Schema of route tables, with which editors complete them:
 * `deno task schema` writes it to `examples/routes.schema.json`.
 *
 * @module
 */
import { join } from "node:path";
import { jsonSchema } from "../../src/routes/schema.ts";
import { ROOT } from "../support/paths.ts";

/** The file that holds the schema. */
export const SCHEMA: string = join(ROOT, "examples", "routes.schema.json");

if (import.meta.main) await Deno.writeTextFile(SCHEMA, jsonSchema());
