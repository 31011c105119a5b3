import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { Broken } from "../../src/lib/broken.ts";
import { ConfigError } from "../../src/lib/config_error.ts";
import { helpOf, tableKey } from "../../src/options/option.ts";
import {
  LISTENER_OPTIONS,
  READ_OPTIONS,
  type ReadOption,
  readOptions,
  type Settings,
  valueOf,
  type Values,
} from "../../src/options/options.ts";
import { OPTIONS } from "../../src/options/rows.ts";
import { jsonSchema } from "../../src/routes/schema.ts";
import { readTable } from "../../src/routes/load.ts";

/** Two values of each kind, on the command line and in a route table. */
const SAMPLES: Record<string, readonly [text: string, value: unknown][]> = {
  "N": [["7", 7], ["8", 8]],
  "BYTES": [["7", 7], ["8", 8]],
  "SECS": [["7", 7], ["0.5", 0.5]],
  "N[:BURST]": [["7", 7], ["0.5:3", { perSecond: 0.5, burst: 3 }]],
  "LEVEL": [["error", "error"], ["debug", "debug"]],
  "FORMAT": [["json", "json"], ["text", "text"]],
  "FILE": [["/a", "/a"], ["off", "off"]],
  "HOST[:PORT]": [["a:1", "a:1"], ["b,c", ["b", "c"]]],
  "PATH": [["/a", "/a"], ["/b,/c", ["/b", "/c"]]],
  "NAME": [["A", "A"], ["B,C", ["B", "C"]]],
  "HOST": [["a", "a"], ["b,c", ["b", "c"]]],
};

function samplesOf(option: ReadOption): readonly [string, unknown][] {
  const samples = SAMPLES[option.argument ?? ""];
  assert(samples !== undefined, `there are samples for ${option.argument}`);
  return samples;
}

/** What a command line makes of an option. */
function given(option: ReadOption, text: string, settings: Settings): unknown {
  const values = { [option.name]: option.list ? [text] : text } as Values;
  return valueOf(readOptions(values, settings), option);
}

Deno.test("every option with a key in a route table is read from it, and the command line wins", () => {
  const inTables = READ_OPTIONS.filter((option) => tableKey(option));
  assert(inTables.length > 15);
  for (const option of inTables) {
    const [[text, value], [other]] = samplesOf(option) as [
      [string, unknown],
      [string, unknown],
    ];
    const key = option.part === "grants"
      ? { allow: { [option.key]: value } }
      : { [option.key]: value };
    const source = JSON.stringify({ ...key, default: { close: true } });
    const { settings } = readTable(source, "/r.yaml");
    const fromTable = valueOf(readOptions({}, settings), option);
    assertEquals(fromTable, given(option, text, {}), option.name);
    const both = given(option, other, settings);
    assertEquals(both, given(option, other, {}), option.name);
    assertNotEquals(both, fromTable, option.name);
  }
});

Deno.test("every option that only the command line sets is refused in a route table", () => {
  const others = READ_OPTIONS.filter((option) => option.commandLineOnly);
  assert(others.length > 0);
  for (const { key } of others) {
    const source = JSON.stringify({ [key]: 1, default: { close: true } });
    const error = assertThrows(() => readTable(source, "r.yaml"), ConfigError);
    assert(error.message.includes(`${key}: is not one of`), error.message);
  }
});

Deno.test("the default of an option is a value of its kind, and stands in its help", () => {
  for (const option of OPTIONS) {
    if (option.default === undefined) continue;
    assert(helpOf(option).includes(`default ${option.default}`), option.name);
    const read = option.kind?.parse(option.default);
    assert(!(read instanceof Broken), option.name);
  }
});

Deno.test("helpOf() says what 0 means where it stands for no limit", () => {
  const help = (name: string) => {
    const option = OPTIONS.find((one) => one.name === name);
    assert(option !== undefined);
    return helpOf(option);
  };
  assert(help("idle-timeout").endsWith("; default 0: no limit"));
  const connect = help("connect-timeout");
  assert(connect.endsWith("; default 0: as long as the system tries"));
  assert(help("watchdog").endsWith("; 0: never; default 5"));
  assert(help("workers").endsWith("; default: number of CPU cores"));
});

Deno.test("no two options have a name, a letter or a key in common", () => {
  const names = OPTIONS.map(({ name }) => name);
  const letters = OPTIONS.flatMap(({ short }) => short ?? []);
  const keys = OPTIONS.flatMap((option) => tableKey(option) ?? []);
  for (const list of [names, letters, keys]) {
    assertEquals(new Set(list).size, list.length);
  }
});

Deno.test("editors are told of every option that a route table may set", () => {
  const schema = JSON.parse(jsonSchema());
  for (const option of READ_OPTIONS.filter((one) => tableKey(one))) {
    const { properties } = option.part === "grants"
      ? schema.properties.allow
      : schema;
    assert(properties[option.key]?.description, option.name);
  }
  const listen = JSON.stringify(schema.properties.listen);
  for (const { key } of LISTENER_OPTIONS) assert(listen.includes(`"${key}"`));
});
