import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ConfigError } from "../../src/lib/config_error.ts";
import { parseCommandLine } from "../../src/cli/command_line.ts";
import { formatAddress } from "../../src/net/address.ts";
import type { ListenOptions } from "../../src/net/listen.ts";

/** The listeners of a command line, which may have those of a table before. */
function listen(
  args: string,
  settings?: readonly ListenOptions[],
): readonly ListenOptions[] {
  const command = parseCommandLine(
    ["-c", "r.ts", ...args.split(" ").filter((arg) => arg !== "")],
    1,
    { listen: settings },
  );
  assert("options" in command);
  return command.options.listen;
}

function addresses(args: string): string {
  return listen(args).map(formatAddress).join(" ");
}

const TABLE: readonly ListenOptions[] = [
  { name: "web", hostname: "0.0.0.0", port: 80 },
  { name: "10.0.0.1:443", hostname: "10.0.0.1", port: 443 },
];

Deno.test("a -h or -p that the listener before it has begins another one", () => {
  const cases: [args: string, expected: string][] = [
    ["", "0.0.0.0:5432"],
    ["-p 80", "0.0.0.0:80"],
    ["-h ::1", "[::1]:5432"],
    ["-h [::1]", "[::1]:5432"],
    ["-h ::1 -p 80", "[::1]:80"],
    ["-p 80 -h ::1", "[::1]:80"],
    ["-p 80 -p 443", "0.0.0.0:80 0.0.0.0:443"],
    ["-h a -p 1 -h b -p 2", "a:1 b:2"],
    ["-p 1 -h a -p 2 -h b", "a:1 b:2"],
    ["--host=a --port 1 --host b --port=2", "a:1 b:2"],
    ["-ha -p1 -hb -p2", "a:1 b:2"],
  ];
  for (const [args, expected] of cases) {
    assertStrictEquals(addresses(args), expected, args);
  }
});

Deno.test("a listener takes what it lacks from the one before, or the first after it", () => {
  const cases: [args: string, expected: string][] = [
    ["-h a -p 1 -p 2", "a:1 a:2"],
    ["-h a -p 1 -h b", "a:1 b:1"],
    ["-h a -h b -p 1", "a:1 b:1"],
    ["-p 1 -p 2 -h a", "a:1 a:2"],
    ["-h a -h b", "a:5432 b:5432"],
    ["-h a -p 1 -p 2 -h b -p 3 -p 4", "a:1 b:2 b:3 b:4"],
  ];
  for (const [args, expected] of cases) {
    assertStrictEquals(addresses(args), expected, args);
  }
});

Deno.test("listeners with port 0 get a port each, so they need no names", () => {
  assertEquals(addresses("-p 0 -p 0"), "0.0.0.0:0 0.0.0.0:0");
  assertEquals(addresses("-h ::1 -p 0 -h [::1]"), "[::1]:0 [::1]:0");
  const table: readonly ListenOptions[] = [
    { name: "0", hostname: "0.0.0.0", port: 0 },
    { name: "0", hostname: "0.0.0.0", port: 0 },
  ];
  assertEquals(listen("", table), table);
  for (const args of ["--name a -p 0 -p 0", "-p 0 --name a -p 0 --name a"]) {
    const { message } = assertThrows(() => listen(args), ConfigError);
    assertEquals(
      message,
      'Cannot use --name as it must be different for each listener: current value is "a"',
    );
  }
});

Deno.test("a name is that of the listener before it, or of the only one", () => {
  const names = (args: string) =>
    listen(args).map((one) => `${one.name}=${"port" in one && one.port}`).join(
      " ",
    );
  assertEquals(names("-p 80 --name web -p 443 --name tls"), "web=80 tls=443");
  assertEquals(names("-p 80 -p 443 --name tls"), "0.0.0.0:80=80 tls=443");
  assertEquals(names("--name web -p 80"), "web=80");
  assertEquals(names("--name web"), "web=5432");
  assertEquals(names("-p 80 --name a --name b"), "b=80");
});

Deno.test("a -h or -p is in place of all listeners of a table, other options are not", () => {
  assertEquals(listen("", TABLE), TABLE);
  assertEquals(listen("-w 2", TABLE), TABLE);
  for (const args of ["-p 80", "-h 0.0.0.0 -p 80"]) {
    assertEquals(listen(args, TABLE), [
      { name: "0.0.0.0:80", hostname: "0.0.0.0", port: 80 },
    ]);
  }
  assertEquals(listen("--name x", TABLE.slice(0, 1)), [
    { name: "x", hostname: "0.0.0.0", port: 80 },
  ]);
});

Deno.test("listeners with the same address or name are refused", () => {
  const bad: [args: string, message: string][] = [
    [
      "-p 80 -p 80",
      "Cannot use -h and -p as they must name no address twice: current value is 0.0.0.0:80",
    ],
    [
      "-h ::1 -p 80 -h [::1]",
      "Cannot use -h and -p as they must name no address twice: current value is [::1]:80",
    ],
    [
      "-p 80 --name a -p 443 --name a",
      'Cannot use --name as it must be different for each listener: current value is "a"',
    ],
    [
      "--name a -p 80 -p 443",
      'Cannot use --name as it must be different for each listener: current value is "a"',
    ],
    [
      "-p 80 --name 0.0.0.0:443 -p 443",
      'Cannot use --name as it must be different for each listener: current value is "0.0.0.0:443"',
    ],
  ];
  for (const [args, message] of bad) {
    const error = assertThrows(() => listen(args), ConfigError);
    assertEquals(error.message, message, args);
  }
  assertThrows(() => listen("--name x", TABLE), ConfigError);
});

Deno.test("a socket file is a host without a port", () => {
  const cases: [args: string, expected: string][] = [
    ["-h unix:/a.sock", "unix:/a.sock"],
    ["-p 80 -h unix:/a", "0.0.0.0:80 unix:/a"],
    ["-h unix:/a -p 80", "unix:/a 0.0.0.0:80"],
    ["-h ::1 -p 80 -h unix:/a", "[::1]:80 unix:/a"],
    ["-h ::1 -p 80 -h unix:/a -p 443", "[::1]:80 unix:/a [::1]:443"],
    ["-h unix:/a -h unix:/b -h ::1 -p 80", "unix:/a unix:/b [::1]:80"],
    ["-h unix -p 80", "unix:80"],
  ];
  for (const [args, expected] of cases) {
    assertStrictEquals(addresses(args), expected, args);
  }
});

Deno.test("a socket file has its own mode and name, or those in front of all", () => {
  assertEquals(listen("-h unix:/a --socket-mode 660 --name a"), [
    { name: "a", path: "/a", mode: 0o660 },
  ]);
  assertEquals(
    listen("--socket-mode 0600 -h unix:/a -p 80 -h unix:/b --socket-mode 666"),
    [
      { name: "unix:/a", path: "/a", mode: 0o600 },
      { name: "0.0.0.0:80", hostname: "0.0.0.0", port: 80 },
      { name: "unix:/b", path: "/b", mode: 0o666 },
    ],
  );
  const [file] = listen("--socket-mode 600", [
    { name: "f", path: "/a", mode: 0o666 },
    ...TABLE,
  ]);
  assertEquals(file, { name: "f", path: "/a", mode: 0o600 });
});

Deno.test("a socket file or a mode that breaks its rule is refused", () => {
  const long = `unix:/${"a".repeat(96)}`;
  const bad: [args: string, message: string][] = [
    [
      "-h unix:a.sock",
      'Cannot use --host as it must have the absolute path of a socket file, as in "unix:/run/app.sock": current value is "unix:a.sock"',
    ],
    [
      `-h ${long}`,
      `Cannot use --host as it must have a path of at most 96 bytes: current value is "${long}"`,
    ],
    [
      "-h unix:/a --socket-mode rw",
      'Cannot use --socket-mode as it must be three octal digits, such as 660: current value is "rw"',
    ],
    [
      "-p 80 --socket-mode 660",
      'Cannot use --socket-mode as it must belong to a -h unix:/PATH: current value is "660"',
    ],
    [
      "--socket-mode 660 -p 80",
      'Cannot use --socket-mode as it must belong to a -h unix:/PATH: current value is "660"',
    ],
    [
      "--socket-mode 660",
      'Cannot use --socket-mode as it must belong to a -h unix:/PATH: current value is "660"',
    ],
    [
      "-h unix:/a -h unix:/a",
      "Cannot use -h and -p as they must name no address twice: current value is unix:/a",
    ],
  ];
  for (const [args, message] of bad) {
    const error = assertThrows(() => listen(args), ConfigError);
    assertEquals(error.message, message, args);
  }
  assertThrows(() => listen("--socket-mode 600", TABLE), ConfigError);
});

Deno.test("a mode needs a socket file once the route table is read", () => {
  const args = ["-c", "routes.yaml", "--socket-mode", "660"];
  assertEquals(parseCommandLine(args, 1).kind, "run");
  const { message } = assertThrows(
    () => parseCommandLine(args, 1, {}),
    ConfigError,
  );
  assertEquals(
    message,
    'Cannot use --socket-mode as it must belong to a -h unix:/PATH: current value is "660"',
  );
});
