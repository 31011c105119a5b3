/**
 * Registering tests.
 *
 * @module
 */

/**
 * Registers a test that waits for other programs. It fails after some minutes
 * rather than wait for ever.
 */
export function test(name: string, fn: () => Promise<void>): void {
  Deno.test(name, { timeout: 300_000 }, fn);
}
