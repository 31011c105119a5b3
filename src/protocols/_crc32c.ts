/** The polynomial of Castagnoli, bits in reverse order. */
const POLYNOMIAL = 0x82f6_3b78;

/**
 * CRC32c of bytes (RFC 9260 appendix A, formerly RFC 4960 appendix B). It goes
 * bit by bit, as it is for headers of some dozen bytes.
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc >>> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
  }
  return ~crc >>> 0;
}
