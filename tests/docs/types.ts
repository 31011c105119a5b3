/**
 * Reads the types of the source, with what their comments say, so that the
 * reference pages say the same.
 *
 * @module
 */
import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "../support/paths.ts";

/** A property of a type. */
export interface Field {
  /** Its name, or its path from an outer type: `workers[].id`. */
  readonly name: string;
  /** Its type as it is written in TypeScript. */
  readonly type: string;
  /** What its comment says, in one line of Markdown. */
  readonly text: string;
  /** Its default, if the comment has one. */
  readonly byDefault: string | undefined;
}

/** The types of some modules. */
export class Types {
  readonly #checker: ts.TypeChecker;
  readonly #program: ts.Program;

  /**
   * Reads modules, and all that they import.
   *
   * @param modules Paths from the top of the checkout.
   */
  constructor(modules: readonly string[]) {
    this.#program = ts.createProgram(modules.map((path) => join(ROOT, path)), {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.esnext.d.ts"],
      types: [],
      allowImportingTsExtensions: true,
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
    });
    this.#checker = this.#program.getTypeChecker();
  }

  /**
   * Lists the properties of a type, in the order of the source. Those that are
   * always `undefined` are left out.
   *
   * @param module The path of the module that exports it.
   * @param name Its name.
   */
  fields(module: string, name: string): Field[] {
    return this.#properties(this.#typeOf(module, name)).map((symbol) =>
      this.#field(symbol, symbol.name)
    );
  }

  /**
   * Lists the properties of a type, and of all objects and lists in it.
   *
   * @param module The path of the module that exports it.
   * @param name Its name.
   */
  paths(module: string, name: string): Field[] {
    return this.#walk(this.#typeOf(module, name), "");
  }

  /** What the comment of an exported type or function says. */
  comment(module: string, name: string): string {
    const symbol = this.#symbol(module, name);
    return inline(
      ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)),
    );
  }

  /**
   * Lists what an exported function may return, `null` and `undefined` left out:
   * one list of fields for each kind of object.
   *
   * @param module The path of the module that exports it.
   * @param name Its name.
   */
  answers(module: string, name: string): Field[][] {
    const type = this.#checker.getTypeOfSymbol(this.#symbol(module, name));
    const [signature] = type.getCallSignatures();
    if (signature === undefined) throw new Error(`${name} is no function`);
    const answer = this.#checker
      .getNonNullableType(signature.getReturnType());
    const kinds = answer.isUnion() ? answer.types : [answer];
    return kinds.map((kind) =>
      this.#properties(kind).map((symbol) => this.#field(symbol, symbol.name))
    );
  }

  #walk(type: ts.Type, path: string): Field[] {
    return this.#properties(type).flatMap((symbol) => {
      const own = path === "" ? symbol.name : `${path}.${symbol.name}`;
      const inner = this.#checker.getTypeOfSymbol(symbol);
      const element = this.#element(inner);
      if (element !== undefined && this.#isObject(element)) {
        return this.#walk(element, `${own}[]`);
      }
      if (this.#isObject(inner)) return this.#walk(inner, own);
      return [this.#field(symbol, own)];
    });
  }

  #field(symbol: ts.Symbol, name: string): Field {
    const tags = symbol.getJsDocTags(this.#checker);
    const byDefault = tags.find((tag) => tag.name === "default")?.text;
    return {
      name,
      type: this.#checker.typeToString(
        this.#checker.getTypeOfSymbol(symbol),
        undefined,
        ts.TypeFormatFlags.NoTruncation,
      ).replace(/ \| undefined$/, ""),
      text: inline(
        ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)),
      ),
      byDefault: byDefault && inline(ts.displayPartsToString(byDefault)),
    };
  }

  #properties(type: ts.Type): ts.Symbol[] {
    return this.#checker.getPropertiesOfType(type).filter((symbol) => {
      const inner = this.#checker.getTypeOfSymbol(symbol);
      return (inner.flags & (ts.TypeFlags.Never | ts.TypeFlags.Undefined)) ===
          0 && !symbol.name.startsWith("__@");
    });
  }

  /** The type of the elements, if it is a list. */
  #element(type: ts.Type): ts.Type | undefined {
    return this.#checker.isArrayType(type)
      ? this.#checker.getTypeArguments(type as ts.TypeReference)[0]
      : undefined;
  }

  /** Whether it is an object with fields of known names. */
  #isObject(type: ts.Type): boolean {
    return (type.flags & ts.TypeFlags.Object) !== 0 &&
      !this.#checker.isArrayType(type) &&
      type.getCallSignatures().length === 0 &&
      type.getStringIndexType() === undefined;
  }

  #typeOf(module: string, name: string): ts.Type {
    return this.#checker.getDeclaredTypeOfSymbol(this.#symbol(module, name));
  }

  #symbol(module: string, name: string): ts.Symbol {
    const file = this.#program.getSourceFile(join(ROOT, module));
    const exports = file && this.#checker.getSymbolAtLocation(file);
    const symbol = exports && this.#checker.getExportsOfModule(exports)
      .find((one) => one.name === name);
    if (symbol === undefined) throw new Error(`${module} exports no ${name}`);
    return (symbol.flags & ts.SymbolFlags.Alias) === 0
      ? symbol
      : this.#checker.getAliasedSymbol(symbol);
  }
}

/** Joins the lines of a comment, and the entries of a list in it. */
function inline(text: string): string {
  return text
    .replace(/\{@linkcode ([^}]+)\}/g, "`$1`")
    .replace(/\n+- /g, " ")
    .replace(/\s*\n\s*/g, " ")
    .trim();
}
