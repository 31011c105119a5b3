/**
 * The types of `@std/yaml`: of what the tests use of it.
 *
 * @module
 */

/** How YAML is read. */
export interface ParseOptions {
  /** @default "default" */
  readonly schema?: "core" | "default" | "failsafe" | "json" | "extended";
  /** @default false */
  readonly allowDuplicateKeys?: boolean;
}

/** Reads a document. */
export function parse(content: string, options?: ParseOptions): unknown;

/** Reads all documents of a file. */
export function parseAll(content: string, options?: ParseOptions): unknown;
