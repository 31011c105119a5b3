/**
 * Registering tests.
 *
 * @module
 */

/**
 * Registers a test that waits for other programs. It fails after some minutes
 * rather than wait for ever.
 *
 * @param name What must hold.
 * @param fn Sees whether it does.
 * @param lack What this machine lacks for it, if anything: the test is skipped,
 * and its name says why.
 */
export function test(
  name: string,
  fn: () => Promise<void>,
  lack?: string,
): void {
  Deno.test({
    name: lack === undefined ? name : `${name} (not here: ${lack})`,
    ignore: lack !== undefined,
    timeout: 300_000,
    fn,
  });
}

/** What a machine lacks that has no address `::1`. */
export const NO_IPV6: string | undefined = hasIpv6() ? undefined : "no IPv6";

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
