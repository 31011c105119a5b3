/**
 * The version of the program.
 *
 * @module
 */
import deno from "../../deno.json" with { type: "json" };

/** As in deno.json, such as `2.0.0`. */
export const VERSION: string = deno.version;
