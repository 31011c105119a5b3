/**
 * Installs the real clients and servers that the tests run, where that needs
 * nobody's consent: as root, on Debian. `deno task test` begins with it.
 *
 * @module
 */
import { delay } from "./support/delay.ts";

/** Programs, and the Debian packages that they are in. */
const PROGRAMS: readonly (readonly [program: string, debianPackage: string])[] =
  [
    ["git", "git"],
    ["curl", "curl"],
    ["openssl", "openssl"],
    ["gnutls-cli", "gnutls-bin"],
    ["ssh", "openssh-client"],
    ["/usr/sbin/sshd", "openssh-server"],
    ["psql", "postgresql-client"],
    ["pg_lsclusters", "postgresql"],
    ["mosquitto_pub", "mosquitto-clients"],
    ["redis-cli", "redis-tools"],
    ["redis-server", "redis-server"],
    ["socat", "socat"],
    ["dig", "dnsutils"],
    ["ss", "iproute2"],
    ["strace", "strace"],
    ["script", "bsdutils"],
    ["setpriv", "util-linux"],
    ["unshare", "util-linux"],
    ["python3", "python3"],
    ["/usr/sbin/haproxy", "haproxy"],
    ["zsh", "zsh"],
    ["fish", "fish"],
    ["shellcheck", "shellcheck"],
    ["mandoc", "mandoc"],
    ["systemd-analyze", "systemd"],
    ["chromium", "chromium"],
    ["promtool", "prometheus"],
  ];

/** Milliseconds that another apt or dpkg may hold its locks. */
const PATIENCE = 600_000;

if (import.meta.main) {
  const missing = PROGRAMS.filter(([program]) => !isInstalled(program));
  if (missing.length > 0) Deno.exit(await install(missing));
}

function isInstalled(program: string): boolean {
  return new Deno.Command("sh", {
    args: ["-c", `command -v "$0" >/dev/null`, program],
  }).outputSync().success;
}

/**
 * Installs programs if that is allowed here, and says so if it is not.
 *
 * @returns The exit status: 1 if they could have been installed, and were not.
 */
async function install(missing: typeof PROGRAMS): Promise<number> {
  const packages = missing.map(([, debianPackage]) => debianPackage);
  const command = `apt-get install ${packages.join(" ")}`;
  if (Deno.uid() !== 0 || !isInstalled("apt-get")) {
    const names = missing.map(([program]) => program).join(", ");
    console.error(
      `Tests that need these programs will fail, as they are not installed: ${names}. As root: ${command}`,
    );
    return 0;
  }
  console.error(`Installing what the tests need: ${command}`);
  const failure = await aptGet("update", "-qq") ??
    await aptGet(
      ...["install", "-y", "-qq", "--no-install-recommends", ...packages],
    );
  if (failure === undefined) return 0;
  console.error(`Cannot install what the tests need (${command}): ${failure}`);
  return 1;
}

/**
 * Runs apt-get, and waits while another one runs: of its locks, the option is
 * about that of dpkg alone.
 *
 * @returns What it says if it fails.
 */
async function aptGet(...args: readonly string[]): Promise<string | undefined> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    const { success, stderr } = await new Deno.Command("apt-get", {
      args: [`-oDPkg::Lock::Timeout=${PATIENCE / 1000}`, ...args],
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
      stdin: "null",
      stdout: "null",
    }).output();
    if (success) return undefined;
    const said = new TextDecoder().decode(stderr).trim();
    const isLocked = /Could not get lock|Unable to lock/.test(said);
    if (!isLocked || performance.now() > until) return said;
    await delay(1000);
  }
}
