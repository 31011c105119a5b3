/**
 * Mistakes on the command line or in the configuration.
 *
 * @module
 */

/** A mistake on the command line or in the configuration: exit status 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Makes the error of an option with a value that breaks a rule.
 *
 * @param option The option, such as `--host`.
 * @param rule The whole rule, such as `must not be empty`.
 */
export function broken(
  option: string,
  rule: string,
  value: string,
): ConfigError {
  return new ConfigError(
    `Cannot use ${option} as it ${rule}: current value is ${
      JSON.stringify(value)
    }`,
  );
}
