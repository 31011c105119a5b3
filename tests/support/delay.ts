/**
 * Waiting for a time.
 *
 * @module
 */

/**
 * Waits. A test awaits an event instead, unless it is about time itself: that
 * something does not happen, or happens again and again.
 *
 * @param milliseconds How long; without it, until the next turn of the event loop.
 */
export function delay(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
