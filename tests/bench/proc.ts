/**
 * What Linux says about processes, sockets and the machine: the only clock and
 * the only scale that this benchmark trusts. Everything is read from `/proc`;
 * nothing is sampled by a second process.
 *
 * @module
 */

/**
 * `/proc/PID/stat` counts in these on every architecture that Deno runs on
 * (`getconf CLK_TCK`).
 */
const MICROS_PER_TICK = 10_000;

/** Memory of a process tree in bytes. */
export interface Memory {
  /** Resident, shared pages included. */
  rss: number;
  /** Resident and anonymous: heap, stacks, buffers; no program text. */
  anon: number;
}

/** Time that the machine's cores spent, in microseconds since boot. */
export interface MachineTime {
  busy: number;
  /** Wanted by this machine, but given to another by the hypervisor. */
  stolen: number;
}

/** `pid` and all that it started, parents first. */
export function processTree(pid: number): number[] {
  const tree = [pid];
  for (const parent of tree) {
    for (const thread of threads(parent)) {
      const children = readOr("", `/proc/${parent}/task/${thread}/children`);
      for (const child of children.split(" ")) {
        if (child !== "") tree.push(Number(child));
      }
    }
  }
  return tree;
}

/** True until the process has ended; one that merely waits to be reaped has. */
export function isRunning(pid: number): boolean {
  const state = statFields(pid)[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

/**
 * CPU time, user and system, that a process and everything it started have used
 * so far.
 *
 * All threads count, those that have ended too. The kernel derives the sum from
 * the scheduler's nanosecond clock, so the error is one tick at each end of a
 * window, not one per sample.
 *
 * @param options.reaped Count children that have ended and been waited for as
 * well.
 * @throws If the process is gone: a proxy that died has no cost worth
 * reporting.
 */
export function cpuMicros(
  pid: number,
  options: { reaped?: boolean } = {},
): number {
  let ticks = 0;
  for (const member of processTree(pid)) {
    const fields = statFields(member);
    if (fields.length === 0) {
      if (member === pid) throw new Error(`process ${pid} is gone`);
      continue;
    }
    const last = options.reaped === true ? 14 : 12;
    for (const field of fields.slice(11, last + 1)) ticks += Number(field);
  }
  return ticks * MICROS_PER_TICK;
}

/** Resident memory of a process and everything that it started. */
export function memory(pid: number): Memory {
  const sum: Memory = { rss: 0, anon: 0 };
  for (const member of processTree(pid)) {
    const text = readOr("", `/proc/${member}/smaps_rollup`);
    sum.rss += kilobytes(text, "Rss") * 1024;
    sum.anon += kilobytes(text, "Anonymous") * 1024;
  }
  if (sum.rss === 0) {
    throw new Error(`Cannot read the memory of process ${pid}: it is gone`);
  }
  return sum;
}

/**
 * True when a TCP socket of IPv4 listens on `port`. Asking so costs the
 * listener no connection.
 */
export function isListening(port: number): boolean {
  const local = `:${
    port.toString(16).toUpperCase().padStart(4, "0")
  } 00000000:0000 0A `;
  return Deno.readTextFileSync("/proc/net/tcp").includes(local);
}

/**
 * Sockets in TIME_WAIT, on the whole machine: each holds one local port for a
 * minute.
 */
export function timeWaitSockets(): number {
  return Number(
    /^TCP:.* tw (\d+)/m.exec(Deno.readTextFileSync("/proc/net/sockstat"))
      ?.[1] ?? 0,
  );
}

/** Time that all cores together were busy, whoever kept them so. */
export function machineTime(): MachineTime {
  const line = /^cpu +(.*)$/m.exec(Deno.readTextFileSync("/proc/stat"))?.[1] ??
    "";
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] =
    line.split(" ")
      .map(Number);
  return {
    busy: (user + nice + system + irq + softirq) * MICROS_PER_TICK,
    stolen: steal * MICROS_PER_TICK,
  };
}

/** File descriptors that a process started by this one may open. */
export function descriptorLimit(): number {
  const limit = /^Max open files +(\S+)/m.exec(
    Deno.readTextFileSync("/proc/self/limits"),
  )?.[1];
  return limit === undefined || limit === "unlimited"
    ? Infinity
    : Number(limit);
}

/**
 * First port that the kernel gives to outgoing connections; those below are
 * free to listen on.
 */
export function firstEphemeralPort(): number {
  return Number(
    Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").split(
      /\s/,
    )[0] ?? 32768,
  );
}

/** What the numbers were measured on. */
export function machine(): Record<string, string | number> {
  const model = /^model name\s*: (.*)$/m.exec(readOr("", "/proc/cpuinfo"))?.[1];
  return {
    cpu: model ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    kernel: Deno.osRelease(),
    congestionControl: readOr("", "/proc/sys/net/ipv4/tcp_congestion_control")
      .trim(),
  };
}

function threads(pid: number): string[] {
  try {
    return Array.from(
      Deno.readDirSync(`/proc/${pid}/task`),
      (entry) => entry.name,
    );
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/**
 * Fields of `/proc/PID/stat` after the name, which may hold spaces and
 * parentheses.
 */
function statFields(pid: number): string[] {
  const text = readOr("", `/proc/${pid}/stat`);
  return text === "" ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function kilobytes(smaps: string, field: string): number {
  return Number(
    new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(smaps)?.[1] ?? 0,
  );
}

/**
 * The text of a file that goes away with its process, or `fallback` once it
 * has.
 */
function readOr(fallback: string, path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isGone(error)) return fallback;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  // A process that ends while its file is being read gives ESRCH.
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && /ESRCH|os error 3\b/.test(error.message));
}
