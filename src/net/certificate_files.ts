/**
 * Reading certificates and keys (PEM). For the main thread only.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { ConfigError } from "../lib/config_error.ts";
import { messageOf, oneLine, whyUnreadable } from "../lib/errors.ts";
import type { Certificate } from "./listen.ts";
import { TlsEngine } from "./tls_engine.ts";

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads a file of certificates.
 *
 * @throws {ConfigError} If it cannot be read, or has no certificates.
 */
export async function readCertificates(path: string): Promise<string> {
  const text = await readText(path, "certificate");
  parseCertificates(text, path);
  return text;
}

/**
 * Reads a certificate and its key, and makes sure that they can be used.
 *
 * @param warn Is told of what the operator should know.
 * @returns The same, with what the files have, and the names.
 * @throws {ConfigError} If a file cannot be read, or cannot be used.
 */
export async function readPair(
  { certFile, keyFile }: Certificate,
  warn: (message: string) => void,
): Promise<Certificate> {
  const cert = await readText(certFile, "certificate");
  const [own] = parseCertificates(cert, certFile) as [X509Certificate];
  const text = await readText(keyFile, "private key");
  const key = parseKey(text, keyFile);
  if (!own.checkPrivateKey(key)) {
    throw new ConfigError(
      `Cannot use the private key ${keyFile} as it must be that of the certificate ${certFile}`,
    );
  }
  const pair = { cert, key: text };
  try {
    new TlsEngine(pair, []).close();
  } catch (error) {
    throw new ConfigError(
      `Cannot use the certificate ${certFile} with a key of the kind ${key.asymmetricKeyType}: ${
        reason(error)
      }`,
      { cause: error },
    );
  }
  if (Date.parse(own.validTo) < Date.now()) {
    warn(`The certificate ${certFile} has expired on ${own.validTo}`);
  }
  return { certFile, keyFile, pair, names: namesOf(own) };
}

function parseKey(text: string, path: string): KeyObject {
  if (/ENCRYPTED/.test(text)) {
    throw new ConfigError(
      `Cannot use the private key ${path} as it must not be encrypted: write it in plain with openssl pkey -in ${path}`,
    );
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new ConfigError(
      `Cannot use the private key ${path} as it must be in PEM: it has no "-----BEGIN PRIVATE KEY-----"`,
    );
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new ConfigError(
      `Cannot use the private key ${path}: ${reason(error)}`,
      { cause: error },
    );
  }
}

/** The host names that a certificate is for, in lower case (RFC 9525). */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return subjectAltName.split(", ").flatMap((name) => {
    const host = /^DNS:((?:\*\.)?[\w.-]+)$/.exec(name)?.[1];
    return host === undefined ? [] : [host.toLowerCase()];
  });
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
      `Cannot read the ${what} ${path}: ${oneLine(whyUnreadable(error))}`,
      { cause: error },
    );
  }
}

function reason(error: unknown): string {
  return oneLine(messageOf(error));
}
