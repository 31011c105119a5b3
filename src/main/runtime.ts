/**
 * Which runtime the program needs. An older one must be able to run this, so
 * it imports nothing.
 *
 * @module
 */

/** The least version of Deno: older ones never close some clients. */
const LEAST = { major: 2, minor: 9 };

/**
 * Finds out whether the program can run here.
 *
 * @param standalone Whether the program is an executable: that has the runtime
 * that it was built with.
 * @returns Why not, on one line; `undefined` if it can.
 */
export function checkRuntime(
  version: string = Deno.version.deno,
  standalone: boolean = Deno.build.standalone,
): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > LEAST.major ||
    major === LEAST.major && minor >= LEAST.minor;
  if (standalone || isEnough) return undefined;
  return `Cannot start as the runtime must be Deno ${LEAST.major}.${LEAST.minor}.0 or later: current value is ${version}; \`deno upgrade\` gets a newer one`;
}
