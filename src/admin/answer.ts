/**
 * Answers of the admin server, before they become responses.
 *
 * @module
 */

/** An answer without its common headers. */
export interface ApiAnswer {
  /**
   * The status.
   *
   * @default 200
   */
  readonly status?: number;
  /** The media type of the body; `undefined` for JSON. */
  readonly type?: string;
  /** A text, or what is written as JSON; `undefined` for no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer for a method that is not one of those that are. */
export function notAllowed(allow: string): ApiAnswer {
  return {
    status: 405,
    body: { error: `the method must be ${allow}` },
    headers: { allow },
  };
}
