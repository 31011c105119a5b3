/**
 * Reads the modules of the program: what each imports, and how long it and its
 * functions are.
 *
 * @module
 */
import { join, posix } from "node:path";
import ts from "typescript";

/** A function, and how many lines it has, from its name to its end. */
export interface MeasuredFunction {
  readonly name: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly lines: number;
}

/** A module of the program. */
export interface Module {
  /** The files that it imports, those of which it uses only types too. */
  readonly imports: readonly string[];
  readonly lines: number;
  readonly functions: readonly MeasuredFunction[];
}

/** Modules by their paths from the root of the checkout, with `/`. */
export type Modules = ReadonlyMap<string, Module>;

/** What names that are not paths stand for, as in deno.json. */
export type ImportMap = Readonly<Record<string, string>>;

/**
 * Reads `main.ts` and all modules of `src`.
 *
 * @param root The root of the checkout.
 */
export async function readModules(root: string): Promise<Modules> {
  const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const paths = ["main.ts", ...await listModules(root, "src")];
  const sources = new Map<string, string>();
  for (const path of paths.sort()) {
    sources.set(path, await Deno.readTextFile(join(root, path)));
  }
  return parseModules(sources, config.imports);
}

/** The paths of all modules in a folder and the folders in it. */
async function listModules(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await listModules(root, path));
    else if (/\.[jt]s$/.test(name)) found.push(path);
  }
  return found;
}

/**
 * Parses modules.
 *
 * @param sources The text of each module, by its path.
 * @param importMap What names that are not paths stand for.
 */
export function parseModules(
  sources: ReadonlyMap<string, string>,
  importMap: ImportMap = {},
): Modules {
  const resolve = (specifier: string, from: string) => {
    const path = importMap[specifier] ?? specifier;
    if (!path.startsWith(".")) return undefined;
    const folder = path === specifier ? posix.dirname(from) : ".";
    const target = posix.join(folder, path);
    return sources.has(target) ? target : undefined;
  };
  return new Map(
    [...sources].map(([path, text]) => [path, parse(path, text, resolve)]),
  );
}

function parse(
  path: string,
  text: string,
  resolve: (specifier: string, from: string) => string | undefined,
): Module {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = new Set<string>();
  const functions: MeasuredFunction[] = [];
  const lineOf = (position: number) =>
    source.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    const target = resolve(specifierOf(node) ?? "", path);
    if (target !== undefined) imports.add(target);
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const line = lineOf(node.getStart());
      const lines = lineOf(node.end) - line + 1;
      functions.push({ name: nameOf(node), line: line + 1, lines });
    }
    // unlike forEachChild, this has the types in comments of JavaScript, too
    node.getChildren().forEach(visit);
  };
  visit(source);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return { imports: [...imports], lines, functions };
}

/** What a node of the syntax imports, if it does. */
function specifierOf(node: ts.Node): string | undefined {
  let specifier: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    // a file that is imported as a text is no module
    if (node.attributes !== undefined) return undefined;
    specifier = node.moduleSpecifier;
  } else if (ts.isJSDocImportTag(node)) {
    specifier = node.moduleSpecifier;
  } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    specifier = node.argument.literal;
  } else if (
    ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword
  ) {
    specifier = node.arguments[0];
  }
  return specifier !== undefined && ts.isStringLiteralLike(specifier)
    ? specifier.text
    : undefined;
}

/** What a function is called in its module, with its class before it. */
function nameOf(node: ts.SignatureDeclaration): string {
  const { parent } = node;
  const named = node.name ??
    ("name" in parent ? (parent as { name?: ts.Node }).name : undefined);
  const own = ts.isConstructorDeclaration(node)
    ? "constructor"
    : named?.getText() ?? "(a function without a name)";
  return ts.isClassLike(parent) && parent.name !== undefined
    ? `${parent.name.text}.${own}`
    : own;
}
