/**
 * What the tests of packages share.
 *
 * @module
 */
import { join } from "node:path";
import { ROOT } from "../fixtures.ts";

/** The folder with the packages. */
export const PACKAGES: string = join(ROOT, "examples", "packages");
