/**
 * The matcher `client`: the client's address is in one of some networks.
 *
 * @module
 */
import { map, oneOrMore, parsed } from "../../lib/kinds.ts";
import {
  contains,
  formatNetwork,
  type Network,
  parseNetwork,
} from "../../net/cidr.ts";
import { NO, YES } from "./call.ts";
import type { Matcher } from "./matcher.ts";

/** The client's address is in one of the networks. */
export interface ClientMatch {
  readonly kind: "client";
  readonly networks: readonly Network[];
}

const WHAT = "an IP address or a network";

const NETWORKS = oneOrMore(
  parsed(WHAT, parseNetwork),
  `must be ${WHAT}, or a list of those`,
);

/** The matcher of networks. */
export const CLIENT: Matcher<ClientMatch> = {
  keys: {
    client: {
      kind: map(NETWORKS, (networks) => [{ kind: "client", networks }]),
      help: "The client's IP address or network (CIDR).",
    },
  },
  needsBytes: false,
  compile({ networks }) {
    return ({ address }) =>
      address !== undefined &&
        networks.some((network) => contains(network, address))
        ? YES
        : NO;
  },
  describe: ({ networks }) =>
    `client ${networks.map(formatNetwork).join(" | ")}`,
  covers: (wide, narrow) =>
    narrow.networks.every((one) =>
      wide.networks.some((network) =>
        network.bits <= one.bits && contains(network, one.address)
      )
    ),
};
