/**
 * What breaks the rules of the layout today. Only becomes shorter, and this
 * module goes with its last entry.
 *
 * @module
 */
import type { Modules } from "./modules.ts";

/** Imports that go the wrong way. */
const IMPORTS: readonly string[] = [];

/** Folders whose own files import each other in circles. */
const CIRCLES: readonly string[] = [];

/** What is too long. */
const LONG: readonly string[] = [
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
