/**
 * Installs the real clients and servers that the tests run, where that needs
 * nobody's consent: as root, on Debian. `deno task test` begins with it.
 *
 * @module
 */

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

if (import.meta.main) {
  const missing = PROGRAMS.filter(([program]) => !isInstalled(program))
    .map(([, debianPackage]) => debianPackage);
  if (missing.length > 0) install(missing);
}

function isInstalled(program: string): boolean {
  return new Deno.Command("sh", {
    args: ["-c", `command -v "$0" >/dev/null`, program],
  }).outputSync().success;
}

function install(packages: readonly string[]): void {
  const command = `apt-get install ${packages.join(" ")}`;
  if (Deno.uid() !== 0 || !isInstalled("apt-get")) {
    console.error(
      `Some tests will fail as they need programs that are not installed: ${command}`,
    );
    return;
  }
  console.error(`Installing what the tests need: ${command}`);
  const run = (args: readonly string[]) =>
    new Deno.Command("apt-get", {
      args: [...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
    }).outputSync().success;
  const done = run(["update", "-qq"]) &&
    run(["install", "-y", "-qq", "--no-install-recommends", ...packages]);
  if (!done) console.error(`Cannot install them: ${command}`);
}
