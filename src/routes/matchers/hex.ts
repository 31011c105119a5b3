/**
 * Bytes as hexadecimal digits.
 *
 * @module
 */
import { type Kind, parsed } from "../../lib/kinds.ts";

/** Bytes as hexadecimal digits; spaces do not matter. */
export const HEX: Kind<Uint8Array> = parsed(
  "bytes in hexadecimal",
  (text) =>
    /^\s*([\da-f]{2}\s*)+$/i.test(text)
      ? Uint8Array.fromHex(text.replaceAll(/\s/g, ""))
      : "must be bytes of two hexadecimal digits each",
);
