/**
 * The types of `@std/cli`: of what the tools use of it.
 *
 * @module
 */

/** How arguments are read. */
export interface ParseOptions<B extends string, S extends string> {
  /** Options that are given or not. */
  readonly boolean?: readonly B[];
  /** Options that take a text. */
  readonly string?: readonly S[];
  /** Called with what is no option of these; what it returns as false is left out. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Arguments, read. */
export type Args<B extends string, S extends string> =
  & { readonly [K in B]: boolean }
  & { readonly [K in S]?: string }
  & { readonly _: (string | number)[] };

/** Reads the arguments of a command line. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
>(args: readonly string[], options?: ParseOptions<B, S>): Args<B, S>;
