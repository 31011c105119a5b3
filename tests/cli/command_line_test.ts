import {
  assert,
  assertEquals,
  AssertionError,
  assertMatch,
  assertStrictEquals,
} from "@std/assert";
import { type Command, parseCommandLine } from "../../src/cli/command_line.ts";
import type { Options } from "../../src/options/options.ts";
import { ConfigError } from "../../src/lib/config_error.ts";
import { HELP } from "../../src/cli/help.ts";
import { OPTIONS, SHELLS } from "../../src/options/rows.ts";
import { MAN_PAGE, manPage } from "../packages/generate.ts";

/** Parses with `-c router.ts` in front, on a machine of four cores. */
function parse(...args: string[]): Command {
  return parseCommandLine(["-c", "router.ts", ...args], 4);
}

function parseOptions(...args: string[]): Options {
  const command = parse(...args);
  assert("options" in command);
  return command.options;
}

/** Returns the message of the error that parsing must throw. */
function messageOf(args: readonly string[]): string {
  try {
    parseCommandLine(args, 4);
  } catch (error) {
    assert(error instanceof ConfigError);
    assertMatch(error.message, /^Cannot \P{Cc}+$/u, "one line of text");
    return error.message;
  }
  throw new AssertionError(`no error for ${args}`);
}

Deno.test("parseCommandLine() has a default for every option but -c", () => {
  assertEquals(parse(), {
    kind: "run",
    options: {
      config: "router.ts",
      listen: [{ name: "0.0.0.0:5432", hostname: "0.0.0.0", port: 5432 }],
      workers: 4,
      maxConnections: undefined,
      connection: {
        maxPreread: 65536,
        prereadTimeout: 30_000,
        connectTimeout: 0,
        halfCloseTimeout: 30_000,
        idleTimeout: 0,
        maxDuration: 0,
      },
      addresses: { maxConnectionsPerIp: 0, rateLimit: undefined },
      grants: {
        net: undefined,
        unix: [],
        read: false,
        env: false,
        import: false,
      },
      logLevel: "info",
      logFormat: "text",
      accessLog: "-",
      admin: undefined,
      watch: false,
      drainTimeout: 0,
      dnsHold: 3_600_000,
      watchdog: 5000,
      maxStuckWorkers: undefined,
    },
  });
});

Deno.test("parseCommandLine() takes the value of every option", () => {
  const expected: Options = {
    config: "other.ts",
    listen: [{
      name: "web",
      hostname: "::1",
      port: 0,
      acceptProxy: ["10.0.0.0/8", "2001:db8::1"],
    }],
    workers: 7,
    maxConnections: 9,
    connection: {
      maxPreread: 2049,
      prereadTimeout: 1500,
      connectTimeout: 250,
      halfCloseTimeout: 500,
      idleTimeout: 2500,
      maxDuration: 3_600_000,
    },
    addresses: {
      maxConnectionsPerIp: 20,
      rateLimit: { perSecond: 0.5, burst: 7 },
    },
    grants: {
      net: ["10.0.0.1:80", "[::1]:80", "example.com", "unix:/run/a.sock"],
      unix: ["/run/a.sock"],
      read: ["a.txt", "b"],
      env: ["HOME"],
      import: ["jsr.io"],
    },
    logLevel: "debug",
    logFormat: "json",
    accessLog: "access.log",
    admin: {
      hostname: "::1",
      port: 9901,
      tokenFile: "/run/token",
    },
    watch: false,
    drainTimeout: 2500,
    dnsHold: 3_600_000,
    watchdog: 0,
    maxStuckWorkers: 0,
  };
  const values = {
    config: "other.ts",
    host: "::1",
    port: "0",
    name: "web",
    "accept-proxy": "10.0.0.0/8,2001:db8::1",
    workers: "7",
    "max-connections": "9",
    "max-preread": "2049",
    "preread-timeout": "1.5",
    "connect-timeout": ".25",
    "half-close-timeout": ".5",
    "allow-net": "10.0.0.1:80,[::1]:80,example.com,unix:/run/a.sock",
    "max-connections-per-ip": "20",
    "rate-limit": "0.5:7",
    "idle-timeout": "2.5",
    "max-duration": "3600",
    "allow-read": "a.txt,b",
    "allow-env": "HOME",
    "allow-import": "jsr.io",
    "log-level": "debug",
    "log-format": "json",
    "access-log": "access.log",
    admin: "[::1]:9901",
    "admin-token-file": "/run/token",
    "drain-timeout": "2.5",
    watchdog: "0",
    "max-stuck-workers": "0",
  };
  const joined = Object.entries(values).map(([key, value]) =>
    `--${key}=${value}`
  );
  assertEquals(parse(...joined), { kind: "run", options: expected });

  const isList = (option: string) => /^(allow|accept)-/.test(option);
  const apart = Object.entries(values).flatMap(([key, value]) =>
    isList(key) ? [`--${key}=${value}`] : [`--${key}`, value]
  );
  assertEquals(parse(...apart), { kind: "run", options: expected });
});

Deno.test("parseCommandLine() takes --accept-proxy without networks for any peer, and in front of all for all listeners", () => {
  const accepting = (...args: string[]) =>
    parseOptions(...args).listen.map(({ acceptProxy }) => acceptProxy);
  assertEquals(accepting("--accept-proxy", "-p", "1", "-p", "2"), [
    true,
    true,
  ]);
  assertEquals(accepting("-p", "1", "-p", "2", "--accept-proxy"), [
    undefined,
    true,
  ]);
  assertEquals(
    accepting(
      "--accept-proxy",
      ...["-p", "1", "--accept-proxy=::1", "--accept-proxy=::2"],
      ...["-p", "2"],
    ),
    [["::1", "::2"], true],
  );
  const listen = [{ name: "a", hostname: "::", port: 1 }, {
    name: "b",
    hostname: "::",
    port: 2,
    acceptProxy: ["10.0.0.0/8"],
  }];
  const table = (...args: string[]) => {
    const command = parseCommandLine(["-c", "r.yaml", ...args], 4, { listen });
    assert("options" in command);
    return command.options.listen;
  };
  assertEquals(table(), listen);
  assertEquals(
    table("--accept-proxy=::1").map((one) => [one.name, one.acceptProxy]),
    [["a", ["::1"]], ["b", ["::1"]]],
  );
});

Deno.test("parseCommandLine() names a network of --accept-proxy that is none", () => {
  const cases: [value: string, rule: string][] = [
    ["10.0.0.0/33", "must have 0 to 32 bits behind the slash"],
    ["10.0.0.1/8", "must have no bits set behind the first 8"],
    ["balancer", "must be an IP address or a network such as 10.0.0.0/8"],
  ];
  for (const [value, rule] of cases) {
    assertEquals(
      messageOf(["-c", "router.ts", `--accept-proxy=::1,${value}`]),
      `Cannot use --accept-proxy as each network ${rule}: current value is "${value}"`,
    );
  }
  assertMatch(
    messageOf(["-c", "router.ts", "--accept-proxy=::1,"]),
    /--accept-proxy as it must be a list with commas between/,
  );
});

Deno.test("parseCommandLine() knows the short options of the original", () => {
  const command = parseCommandLine(
    ["-c", "router.ts", "-h", "::1", "-p", "80", "-w", "2"],
    4,
  );
  assert("options" in command);
  const { config, listen, workers } = command.options;
  assertEquals([config, listen, workers], [
    "router.ts",
    [{ name: "[::1]:80", hostname: "::1", port: 80 }],
    2,
  ]);
});

Deno.test("parseCommandLine() takes the last value of an option that is repeated", () => {
  assertEquals(parseOptions("-w", "1", "-w", "2").workers, 2);
});

Deno.test("parseCommandLine() takes off and - for the access log", () => {
  assertEquals(parseOptions("--access-log", "off").accessLog, "off");
  assertEquals(parseOptions("--access-log", "-").accessLog, "-");
});

Deno.test("parseCommandLine() takes a rate with and without a burst", () => {
  const rate = (value: string) =>
    parseOptions("--rate-limit", value).addresses.rateLimit;
  assertEquals(rate("5"), { perSecond: 5, burst: 5 });
  assertEquals(rate("0.1"), { perSecond: 0.1, burst: 1 });
  assertEquals(rate("2.5"), { perSecond: 2.5, burst: 3 });
  assertEquals(rate("10000:1"), { perSecond: 10_000, burst: 1 });
  assertEquals(rate("0"), undefined);
  for (
    const value of ["", "x", "-1", "5:", ":5", "5:0", "5:1.5", "10001", "1e3"]
  ) {
    assertEquals(
      messageOf(["-c", "r.ts", `--rate-limit=${value}`]),
      `Cannot use --rate-limit as it must be connections per second from 0.001 to 10000, or such and a burst as in 5:20: current value is ${
        JSON.stringify(value)
      }`,
    );
  }
  const settings = {
    maxConnectionsPerIp: 9,
    rateLimit: { perSecond: 1, burst: 2 },
  };
  const command = parseCommandLine(
    ["-c", "t.yaml", "--rate-limit=0", "--max-connections-per-ip=0"],
    4,
    settings,
  );
  assert("options" in command);
  assertEquals(command.options.addresses, {
    maxConnectionsPerIp: 0,
    rateLimit: undefined,
  });
});

Deno.test("parseCommandLine() takes 0 for a time without a limit, in place of the table's", () => {
  const settings = { idleTimeout: 1000, maxDuration: 2000 };
  const parse = (...args: string[]) => {
    const command = parseCommandLine(["-c", "t.yaml", ...args], 4, settings);
    assert("options" in command);
    const { idleTimeout, maxDuration } = command.options.connection;
    return [idleTimeout, maxDuration];
  };
  assertEquals(parse(), [1000, 2000]);
  assertEquals(parse("--idle-timeout=0", "--max-duration=0.0"), [0, 0]);
  for (const value of ["-1", "", "x", "1000001"]) {
    assertMatch(
      messageOf(["-c", "r.ts", `--idle-timeout=${value}`]),
      /^Cannot use --idle-timeout as it must be a number of seconds, at most 1000000, or 0 for no limit: /,
    );
  }
});

Deno.test("parseCommandLine() joins the lists of a permission that is repeated", () => {
  const { grants } = parseOptions("--allow-env=A,B", "--allow-env=C");
  assertEquals(grants.env, ["A", "B", "C"]);
});

Deno.test("parseCommandLine() grants everything when a permission has no list", () => {
  const { grants } = parseOptions(
    "--allow-net",
    "--allow-read",
    "--allow-env=A",
    "--allow-env",
    "--allow-import",
  );
  assertEquals(grants, {
    net: true,
    unix: [],
    read: true,
    env: true,
    import: true,
  });
});

Deno.test("parseCommandLine() takes socket files beside all hosts", () => {
  const { grants } = parseOptions("--allow-net", "--allow-net=unix:/a,unix:/b");
  assertEquals(grants.net, true);
  assertEquals(grants.unix, ["/a", "/b"]);
});

Deno.test("parseCommandLine() names a socket file that breaks its rule", () => {
  const bad: [host: string, rule: string][] = [
    ["unix:a.sock", "must have the absolute path of a socket file"],
    ["unix:/", "must have the absolute path of a socket file"],
    ["unix:/a b", "must have a path without spaces"],
    [`unix:/${"a".repeat(107)}`, "must have a path of at most 107 bytes"],
  ];
  for (const [host, rule] of bad) {
    const message = messageOf(["-c", "r.ts", `--allow-net=a:1,${host}`]);
    assert(message.startsWith(`Cannot use --allow-net as it ${rule}`), message);
    assert(message.endsWith(`: current value is "${host}"`), message);
  }
});

Deno.test("parseCommandLine() takes what follows a bare permission as its own argument", () => {
  const options = parseOptions("--allow-read", "-p", "80");
  assertEquals(options.grants.read, true);
  assertEquals(options.listen[0]?.name, "0.0.0.0:80");
});

Deno.test("parseCommandLine() finds out what to do", () => {
  assertEquals(parse().kind, "run");
  assertEquals(parse("--check").kind, "check");
  const dryRun = parse("--dry-run", "bytes.bin");
  assert(dryRun.kind === "dry-run");
  assertEquals(dryRun.file, "bytes.bin");
});

Deno.test("parseCommandLine() needs no -c to print about the program", () => {
  for (const kind of ["help", "version", "types"] as const) {
    assertEquals(parseCommandLine([`--${kind}`], 4), { kind });
  }
  for (const shell of SHELLS) {
    assertEquals(parseCommandLine(["--completions", shell], 4), {
      kind: "completions",
      shell,
    });
  }
});

Deno.test("parseCommandLine() asks for -c when it is missing or empty", () => {
  for (const args of [[], ["-p", "80"], ["--check"], ["-c", ""]]) {
    assertMatch(messageOf(args), /-c FILE/);
  }
});

Deno.test("parseCommandLine() names the option and the value that breaks its rule", () => {
  const bad: Record<string, readonly string[]> = {
    "--host": [""],
    "--name": [""],
    "--port": ["", "-3", "65536", "http", "1.5", "0x50", " 80", "1e3"],
    "--workers": ["", "0", "-1", "1.5", "1025", "two"],
    "--max-connections": ["", "0", "-1", "many"],
    "--max-preread": ["", "0", "-1", "64k", "1e12", "2000000000"],
    "--preread-timeout": ["", "0", "-3", "1s", "NaN", "Infinity", "1e9"],
    "--half-close-timeout": ["", "0", "-0.5", "never", "1000001"],
    "--allow-net": ["a,", ",a", "a,,b"],
    "--allow-read": ["a,"],
    "--allow-env": ["A,,B"],
    "--allow-import": [",a"],
    "--log-level": ["", "loud", "INFO", "warning"],
    "--log-format": ["", "xml"],
    "--access-log": [""],
    "--dry-run": [""],
    "--completions": ["", "sh", "bash zsh"],
  };
  for (const [option, values] of Object.entries(bad)) {
    for (const value of values) {
      const told = (...args: readonly string[]) => {
        const message = messageOf(["-c", "router.ts", ...args]);
        assert(
          message.startsWith(`Cannot use ${option} as it must `) &&
            message.endsWith(`: current value is ${JSON.stringify(value)}`),
          message,
        );
      };
      told(`${option}=${value}`);
      // a number after its option is its value, not another option
      if (/^-[.\d]/.test(value)) told(option, value);
    }
  }
});

Deno.test("parseCommandLine() refuses a negative number in two arguments on one line", () => {
  assertMatch(messageOf(["-c", "r.ts", "-p", "-3"]), /-p/);
  assertMatch(
    messageOf(["-c", "r.ts", "--preread-timeout", "-3"]),
    /--preread-timeout/,
  );
});

Deno.test("parseCommandLine() names an option that it does not know", () => {
  assertMatch(messageOf(["-c", "r.ts", "--bogus"]), /--bogus/);
  assertMatch(messageOf(["-c", "r.ts", "--bogus=1"]), /--bogus/);
  assertMatch(messageOf(["-c", "r.ts", "-x"]), /-x/);
  assertMatch(messageOf(["-c", "r.ts", "--no-check"]), /--no-check/);
});

Deno.test("parseCommandLine() names an option that lacks its value", () => {
  for (const { name, argument, list } of OPTIONS) {
    if (argument === undefined || list) continue;
    assertMatch(messageOf(["-c", "r.ts", `--${name}`]), RegExp(`--${name}`));
  }
});

Deno.test("parseCommandLine() names an option that takes no value", () => {
  for (const { name, argument } of OPTIONS) {
    if (argument !== undefined) continue;
    assertMatch(
      messageOf(["-c", "r.ts", `--${name}=yes`]),
      RegExp(`--${name}`),
    );
  }
});

Deno.test("parseCommandLine() names an argument that belongs to no option", () => {
  assertMatch(messageOf(["-c", "r.ts", "extra"]), /extra/);
});

Deno.test("parseCommandLine() refuses two things to do at a time", () => {
  const message = messageOf(["-c", "r.ts", "--check", "--dry-run", "f"]);
  assertMatch(message, /--check/);
  assertMatch(message, /--dry-run/);
});

Deno.test("parseCommandLine() refuses to read standard input twice", () => {
  assertMatch(
    messageOf(["-c", "-", "--dry-run", "-"]),
    /standard input/,
  );
});

Deno.test("HELP names every option once and fits a terminal", () => {
  const names = OPTIONS.map(({ name, short }) =>
    short === undefined ? `--${name}` : `-${short}, --${name}`
  );
  assertEquals(
    [...HELP.matchAll(/^ +((?:-\w, )?--[\w-]+)/gm)].map(([, name]) => name),
    names,
  );
  assertEquals(new Set(names).size, names.length);
  for (const line of HELP.split("\n")) assert(line.length <= 80, line);
});

Deno.test("HELP begins a text beside its option, and below one that is too long", () => {
  assertMatch(HELP, /^ {2}-p, --port PORT {14}port to listen on, /m);
  assertMatch(HELP, /^ {6}--half-close-timeout SECS\n {31}time without/m);
  assertMatch(HELP, /^ {6}--allow-env\[=NAME,\.\.\.\] {10}see these/m);
});

Deno.test("examples/packages/man/proxymachine.8 is what `deno task man` makes", async () => {
  assertStrictEquals(await Deno.readTextFile(MAN_PAGE), manPage());
});
