/**
 * Why connections end.
 *
 * @module
 */

/** What each reason means; for the documentation, too. */
export const END_REASON_TEXTS = {
  "done": "Both sides have sent all and have ended by EOF.",
  "router-close": "The router said so.",
  "router-error": "A hook threw, or its decision was malformed.",
  "client-left":
    "The client ended before there was a decision, and no hook `timeout` and no default had one then.",
  "proxy-untrusted": "The peer is not one of those of `--accept-proxy`.",
  "proxy-invalid":
    "The connection did not begin with a header of the PROXY protocol.",
  "proxy-timeout": "The header of the PROXY protocol did not come in time.",
  "tls-failed": "The TLS handshake with the client failed.",
  "client-reset":
    "Reading from or writing to the client failed: it has reset the connection.",
  "client-stalled":
    "The client did not read what it was sent, or did not stop sending.",
  "preread-limit": "`--max-preread` bytes, and no decision.",
  "preread-timeout": "`--preread-timeout` seconds, and no decision.",
  "connect-failed": "The remote could not be reached, after all retries.",
  "remote-left": "The remote closed the connection before it sent a byte.",
  "remote-reset": "The remote has reset the connection.",
  "inactivity-timeout": "The remote sent no byte within `inactivityTimeout`.",
  "half-close-timeout":
    "One side had ended, and the other made no progress for `halfCloseTimeout`.",
  "idle-timeout":
    "Both directions were silent for `idleTimeout`, or one had bytes waiting of which none was taken.",
  "max-duration": "The connection has lasted `maxDuration`.",
  "too-many-from-address":
    "The client's address has `--max-connections-per-ip` connections.",
  "rate-limited":
    "The client's address opens connections faster than `--rate-limit`.",
  "shutdown": "The proxy was stopped.",
  "drain-timeout":
    "A reload has replaced its generation more than `--drain-timeout` ago.",
  "admin-close": "It was closed from the status page.",
  "worker-died": "The worker that served it has died.",
  "internal-error": "An error of the proxy itself; it is logged.",
} as const satisfies Readonly<Record<string, string>>;

/** Why a connection ended. */
export type EndReason = keyof typeof END_REASON_TEXTS;

/** All reasons, in the order in which they are shown. */
export const END_REASONS = Object.keys(
  END_REASON_TEXTS,
) as readonly EndReason[];
