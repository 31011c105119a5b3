import type { Sample } from "./checks.ts";
import { databaseSamples, xmppSamples } from "./samples_data.ts";
import { oddSamples } from "./samples_odd.ts";
import { proxySamples, socksSamples } from "./samples_proxies.ts";
import { serverSamples } from "./samples_servers.ts";
import { smallSamples } from "./samples_small.ts";
import { http2Samples, httpSamples, tlsSamples } from "./samples_web.ts";

/**
 * Messages built from the specifications, also of protocols without a client in
 * Debian.
 */
export const samples: readonly Sample[] = [
  ...tlsSamples(),
  ...httpSamples(),
  ...http2Samples(),
  ...smallSamples(),
  ...socksSamples(),
  ...proxySamples(),
  ...databaseSamples(),
  ...xmppSamples(),
  ...oddSamples(),
  ...serverSamples(),
];
