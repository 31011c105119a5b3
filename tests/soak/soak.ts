/**
 * The soak test: the real proxy under a mixed load for minutes.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Proxy } from "../support/proxy.ts";
import { Redis } from "../support/redis.ts";
import { adminOf } from "../support/admin.ts";
import { Authority } from "../support/tls.ts";
import { checkAccounts } from "./accounts.ts";
import { Admin } from "./admin.ts";
import type { BackendTask, Listening } from "./backend.ts";
import type { ClientsTask, Done, Report } from "./clients.ts";
import { Helper } from "./helper.ts";
import { BEHIND, ENCRYPTED } from "./loads.ts";
import { routerFor } from "./router.ts";
import { type Sample, Sampler } from "./sampler.ts";
import { delay } from "../support/delay.ts";

/** How long, and what. */
export interface Plan {
  /**
   * Seconds with nothing to do before the first sample and the last one, in
   * which threads that nobody needs end.
   */
  readonly settle: number;
  /** Seconds of the load without reloads. */
  readonly steady: number;
  /** Seconds of the load with reloads, after that. */
  readonly reloading: number;
  /** Seconds from one reload to the next. */
  readonly interval: number;
}

/** A reload that was asked for. */
export interface Reload {
  /** Seconds since the first sample. */
  readonly time: number;
  /** Whether the router could be loaded; every third one is broken. */
  readonly good: boolean;
}

/** A part of the time. */
export interface Phase {
  readonly name: "steady" | "reloading";
  /** Seconds since the first sample. */
  readonly from: number;
  readonly to: number;
}

/** What there was to see. */
export interface Observed {
  /** Before the load. */
  readonly before: Sample;
  /** Under load. */
  readonly samples: readonly Sample[];
  /** When all that the load had opened was closed. */
  readonly after: Sample;
  readonly phases: readonly Phase[];
  readonly reloads: readonly Reload[];
  /** What the clients have done. */
  readonly done: readonly Done[];
  /** Each thing that does not add up, or was not expected. */
  readonly troubles: readonly string[];
  /** Connections in all. */
  readonly connections: number;
}

/**
 * Garbage is collected soon, so that what is left is what is in use: heaps of
 * the usual size may grow for minutes before there is a reason to look.
 */
const SMALL_HEAPS =
  "export DENO_V8_FLAGS=--max-semi-space-size=1,--optimize-for-size,--heap-growing-percent=10";

/** Samples after which all connections to Redis are lost once more. */
const LOSSES = 7;

/** Milliseconds for the last connections, workers and descriptors to go. */
const PATIENCE = 60_000;

/**
 * Runs the soak test.
 *
 * @param plan How long, and what.
 * @param note Is told how it goes.
 */
export async function soak(
  plan: Plan,
  note: (text: string) => void = () => {},
): Promise<Observed> {
  await using authority = await Authority.make();
  const issued = await authority.issue({
    names: `IP:127.0.0.1,IP:${ENCRYPTED}`,
  });
  const backendTask: BackendTask = {
    cert: await Deno.readTextFile(issued.cert),
    key: await Deno.readTextFile(issued.key),
  };
  await using backend = new Helper("backend.ts", backendTask);
  const { remotes } = await backend.hear<Listening>("listening");
  await using redis = await Redis.start();
  const change = () => redis.command("SET", "route:a", remotes.echo);
  await change();
  const router = routerFor(remotes, authority.pem, redis.url);
  await using folder = await Folder.make({ "router.js": router });
  await using proxy = await Proxy.start(folder.url("router.js"), {
    args: [
      ...["-w", "2", "--admin", "127.0.0.1:0"],
      ...["--preread-timeout", "20", "--max-preread", "16384"],
    ],
    listen: [
      ...["-h", "127.0.0.1", "-p", "0"],
      ...["-h", BEHIND, "-p", "0", "--accept-proxy=127.0.0.0/8"],
      ...["-h", ENCRYPTED, "-p", "0"],
      ...["--tls-cert", issued.cert, "--tls-key", issued.key],
    ],
    setup: SMALL_HEAPS,
  });
  const clientsTask = { ...await findPorts(proxy), ca: authority.pem };
  const settle = () => delay(plan.settle * 1000);
  await settle();
  using admin = new Admin(await adminOf(proxy));
  const sampler = new Sampler(proxy, admin, clientsTask.port);
  const before = await quiet(sampler);

  await using clients = new Helper("clients.ts", clientsTask);
  const samples: Sample[] = [];
  const reloads: Reload[] = [];
  // with a router that can be loaded, or not
  const reload = async (good: boolean): Promise<Reload> => {
    await Deno.writeTextFile(
      folder.file("router.js"),
      good ? router : `${router}\nthrow new Error("broken");\n`,
    );
    const said = reloads.filter((reload) => reload.good === good).length;
    const time = sampler.seconds;
    proxy.kill("SIGHUP");
    await proxy.log.findAll(good ? " Reloaded: " : " Cannot reload", said + 1);
    return { time, good };
  };
  const loaded = sampler.seconds;
  const phases: Phase[] = [
    { name: "steady", from: loaded, to: loaded + plan.steady },
    {
      name: "reloading",
      from: loaded + plan.steady,
      to: loaded + plan.steady + plan.reloading,
    },
  ];
  const end = loaded + plan.steady + plan.reloading;
  let reloadAt = loaded + plan.steady;
  while (sampler.seconds < end) {
    const started = sampler.seconds;
    if (started >= reloadAt) {
      reloadAt += plan.interval;
      const good = reloads.length % 3 !== 2;
      reloads.push(await reload(good));
    }
    const sample = await sampler.sample(150);
    samples.push(sample);
    await change();
    if (samples.length % LOSSES === 0) {
      await redis.command("CLIENT", "KILL", "TYPE", "normal");
    }
    note(
      `${sample.time.toFixed(0)} of ${end.toFixed(0)} s: ${
        (sample.memory / 1e6).toFixed(0)
      } MB, ${sample.descriptors} descriptors, ${sample.open} connections`,
    );
    const next = Math.max(0, started + 1 - sampler.seconds) * 1000;
    await delay(next);
  }
  note("Waiting for the last connections");
  await clients.stop();
  const { done } = await clients.hear<Report>("report");
  // so that those who serve are as new as before, and the runtime gives up what
  // it keeps of the workers that the last broken router was loaded by
  reloads.push(await reload(true));
  await settle();
  const after = await quiet(sampler, before);
  const counted = await sampler.count();
  await backend.stop();
  proxy.kill("SIGQUIT");
  assertEquals((await proxy.status).code, 0);
  await Promise.all([proxy.log.ended, proxy.access.ended]);
  return {
    before,
    samples,
    after,
    phases,
    reloads,
    done,
    troubles: checkAccounts({
      done,
      probes: sampler.probes,
      counted,
      reloads,
      log: proxy.log.all,
      access: proxy.access.all,
    }),
    connections: counted.total,
  };
}

/** Finds where the listeners are. */
async function findPorts(
  proxy: Proxy,
): Promise<Pick<ClientsTask, "port" | "portBehind" | "portTls">> {
  const lines = await proxy.log.findAll("Listening on", 3);
  const [port = 0, portBehind = 0, portTls = 0] = lines.map((line) =>
    Number(/:(\d+) with/.exec(line)?.[1])
  );
  return { port, portBehind, portTls };
}

/**
 * Takes a sample when there are no connections, and no more descriptors than
 * before, if that happens in time.
 */
async function quiet(sampler: Sampler, before?: Sample): Promise<Sample> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    const sample = await sampler.sample(100);
    // workers tell what they have a second after they have begun to serve
    const idle = sample.open === 0 && sample.heap > 0;
    const same = idle && before !== undefined &&
      sample.spare <= before.spare && sample.threads <= before.threads;
    const first = idle && before === undefined;
    if (same || first || performance.now() > until) return sample;
  }
}
