/**
 * The stages of a connection.
 *
 * @module
 */

/**
 * Where a connection is:
 *
 * - `admit`: what comes before the client's own bytes is read;
 * - `preread`: bytes are read for the router;
 * - `connect`: the router has decided, or a hook is asked; a remote is sought;
 * - `joined`: bytes flow between client and remote;
 * - `drain`: the last bytes are sent to the client, and what it sends is dropped;
 * - `closed`: both sockets are closed.
 */
export type Stage =
  | "admit"
  | "preread"
  | "connect"
  | "joined"
  | "drain"
  | "closed";
