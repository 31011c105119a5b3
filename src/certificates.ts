/**
 * Reading certificates and keys (PEM). For the main thread only.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { ConfigError } from "./cli.ts";
import { oneLine } from "./errors.ts";

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads a file of certificates.
 *
 * @param path The file.
 * @returns Its text.
 * @throws {ConfigError} If it cannot be read, or has no certificates.
 */
export async function readCertificates(path: string): Promise<string> {
  const text = await readText(path, "certificate");
  parseCertificates(text, path);
  return text;
}

/** Parses all certificates of a text, at least one. */
function parseCertificates(text: string, path: string): X509Certificate[] {
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw new ConfigError(
      `Cannot use the certificate ${path} as it must be in PEM: it has no "-----BEGIN CERTIFICATE-----"`,
    );
  }
  return found.map((pem, index) => {
    try {
      return new X509Certificate(pem);
    } catch (error) {
      const place = found.length === 1 ? "" : ` (number ${index + 1} in it)`;
      throw new ConfigError(
        `Cannot use the certificate ${path}${place}: ${reason(error)}`,
        { cause: error },
      );
    }
  });
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new ConfigError(
      `Cannot read the ${what} ${path}: ${
        error instanceof Deno.errors.NotFound
          ? "there is no such file"
          : reason(error)
      }`,
      { cause: error },
    );
  }
}

function reason(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
