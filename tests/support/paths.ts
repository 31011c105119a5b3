/**
 * Where things are in the checkout.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** The folder of the examples. */
export const EXAMPLES: string = join(ROOT, "examples");

/** The folder with the packages. */
export const PACKAGES: string = join(EXAMPLES, "packages");
