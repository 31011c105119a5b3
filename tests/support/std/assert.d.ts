/**
 * The types of `@std/assert`: of what the tests use of it.
 *
 * @module
 */

/** A class of errors. */
// deno-lint-ignore no-explicit-any -- whatever it is made of
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** An assertion that does not hold. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions);
}

/** Fails unless a value is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr;

/** Fails. */
export function fail(msg?: string): never;

/** Fails unless two values are equal, deep down. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void;

/** Fails if two values are equal, deep down. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;

/** Fails unless two values are the same, as `Object.is` says. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T;

/** Fails if two values are the same, as `Object.is` says. */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void;

/** Fails unless a text matches a pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void;

/** Fails if a text matches a pattern. */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void;

/** Fails unless a function throws; the result is what it has thrown. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Fails unless a function throws an error of a class, with a message. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): E;

/** Fails unless a promise rejects; the result is the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Fails unless a promise rejects with an error of a class, and a message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): Promise<E>;
