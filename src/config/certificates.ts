/**
 * The certificates and keys of the listeners. For the main thread only.
 *
 * @module
 */
import type { Options } from "../options/options.ts";
import { ConfigError } from "../lib/config_error.ts";
import { readPair } from "../net/certificate_files.ts";
import { hasEngine } from "../net/tls_engine.ts";
import type { ListenTls } from "../net/listen.ts";

/**
 * Reads the certificates and keys of all listeners.
 *
 * @returns The same options, with what the files have, and what the operator
 * should know.
 * @throws {ConfigError} If a file cannot be read, or cannot be used.
 */
export async function readCertificatesOfListeners(
  options: Options,
): Promise<{ options: Options; warnings: readonly string[] }> {
  const warnings: string[] = [];
  const listen = await Promise.all(
    options.listen.map(async ({ tls, ...listener }) =>
      tls === undefined ? listener : {
        ...listener,
        tls: await readTls(tls, (text) => warnings.push(text)),
      }
    ),
  );
  return { options: { ...options, listen }, warnings };
}

/**
 * Lists the files of certificates and keys.
 *
 * @returns Their absolute paths.
 */
export function filesOfListeners({ listen }: Options): string[] {
  return listen.flatMap(({ tls }) =>
    tls?.certificates.flatMap(({ certFile, keyFile }) => [certFile, keyFile]) ??
      []
  );
}

async function readTls(
  tls: ListenTls,
  warn: (message: string) => void,
): Promise<ListenTls> {
  if (!hasEngine()) {
    throw new ConfigError(
      `Cannot use --tls-cert as Deno ${Deno.version.deno} has no TLS that can be used with it: run Deno 2.9`,
    );
  }
  const certificates = await Promise.all(
    tls.certificates.map((one) => readPair(one, warn)),
  );
  return { ...tls, certificates };
}
