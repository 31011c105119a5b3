/**
 * What breaks the rules of the layout today. Only becomes shorter, and this
 * module goes with its last entry.
 *
 * @module
 */
import type { Modules } from "./modules.ts";

/** Imports that go the wrong way. */
const IMPORTS: readonly string[] = [
  "src/cli/command_line.ts → src/config/admin.ts",
  "src/config/certificates.ts → src/cli/command_line.ts",
  "src/config/configuration.ts → src/cli/command_line.ts",
  "src/config/describe.ts → src/cli/command_line.ts",
  "src/config/describe.ts → src/cli/list_value.ts",
  "src/config/sandbox.ts → src/cli/command_line.ts",
  "src/config/sandbox.ts → src/cli/list_value.ts",
  "src/routes/load.ts → src/config/admin.ts",
  "src/routes/load.ts → src/cli/command_line.ts",
  "src/routes/load.ts → src/cli/list_value.ts",
  "src/routes/load.ts → src/cli/values.ts",
  "src/routes/protocols.ts → src/protocols/mod.ts",
  "src/routes/schema.ts → src/cli/values.ts",
  "src/routes/schema.ts → src/cli/option_table.ts",
];

/** Folders whose own files import each other in circles. */
const CIRCLES: readonly string[] = [];

/** What is too long. */
const LONG: readonly string[] = [
  "long function: parseCommandLine in src/cli/command_line.ts",
  "long module: src/router/contract.ts",
  "long function: compileTable in src/routes/compile.ts",
  "long function: locate in src/routes/yaml.ts",
];

/** The modules without the imports that are known to go the wrong way. */
export function withoutKnownImports(modules: Modules): Modules {
  return new Map(
    [...modules].map(([path, module]) => {
      const imports = module.imports
        .filter((target) => !IMPORTS.includes(`${path} → ${target}`));
      return [path, { ...module, imports }];
    }),
  );
}

/** Whether it is not known what a line says. */
export function isNew(line: string): boolean {
  if (LONG.some((known) => line.startsWith(known))) return false;
  const chain = line.split("circle of files: ")[1]?.split(" → ");
  return chain === undefined ||
    !CIRCLES.some((folder) => chain.every((file) => file.startsWith(folder)));
}
