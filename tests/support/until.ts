/**
 * Asking again until the answer is as it should be.
 *
 * @module
 */

/** Milliseconds that something may take to become as it should. */
const PATIENCE = 120_000;

/**
 * Asks again and again until the answer is as it should be: what workers count
 * comes once per second.
 *
 * @param ask Asks; each time anew.
 * @param check Tells whether the answer will do.
 * @returns The answer.
 */
export async function until<T>(
  ask: () => Promise<T>,
  check: (answer: T) => boolean,
): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (check(answer)) return answer;
    if (performance.now() > end) {
      throw new Error(`it stays at ${Deno.inspect(answer, { depth: 5 })}`);
    }
  }
}
