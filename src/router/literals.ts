/**
 * The texts that every match of a regular expression contains.
 *
 * @module
 */

/** An escape that stands for more than the character behind the backslash. */
const ESCAPE =
  /\\(?:u\{[^}]*\}|u[0-9a-fA-F]{4}|[pP]\{[^}]*\}|k<[^>]*>|c[A-Za-z]|x[0-9a-fA-F]{2}|\d+|[^])/y;

const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;

/**
 * Finds texts that every match of a regular expression contains: what stands in
 * the pattern as plain characters, outside groups. Anything that is not plainly
 * understood is left out, so the result may be too little, never too much.
 *
 * @param regex The expression.
 * @returns The texts, in lower case if the expression ignores case; none if
 * there is nothing that every match contains, or that could be told.
 */
export function requiredLiterals({ source, flags }: RegExp): string[] {
  const ignoreCase = flags.includes("i");
  // Unicode folds characters beyond ASCII into it; `v` nests classes
  if (flags.includes("v") || (ignoreCase && flags.includes("u"))) return [];
  const literals: string[] = [];
  let run = "";
  const endRun = () => {
    if (run !== "") literals.push(run);
    run = "";
  };
  for (let at = 0; at < source.length;) {
    const character = source.charAt(at);
    if (character === "|") return [];
    if (character === "(" || character === "[") {
      endRun();
      at = character === "(" ? afterGroup(source, at) : afterClass(source, at);
      at += lengthOf(QUANTIFIER, source, at);
      continue;
    }
    const token = character === "\\" ? textOf(ESCAPE, source, at) : character;
    at += token.length;
    const quantifier = textOf(QUANTIFIER, source, at);
    at += quantifier.length;
    const literal = literalOf(token, ignoreCase);
    if (literal === undefined) {
      endRun();
    } else if (quantifier === "") {
      run += literal;
    } else {
      // once at least with a plus; with others, perhaps not at all
      if (quantifier.startsWith("+")) run += literal;
      endRun();
    }
  }
  endRun();
  return literals;
}

/** The character that a token stands for, if it is a plain one. */
function literalOf(token: string, ignoreCase: boolean): string | undefined {
  const character = token.startsWith("\\") ? unescape(token) : token;
  if (character === undefined) return undefined;
  if (token === character && /[\^$.*+?{}\]]/.test(character)) return undefined;
  if (!ignoreCase) return character;
  return character < "\x80" ? character.toLowerCase() : undefined;
}

function unescape(token: string): string | undefined {
  const known = ({ "\\r": "\r", "\\n": "\n", "\\t": "\t", "\\0": "\0" })[token];
  if (known !== undefined) return known;
  if (/^\\x../.test(token)) {
    return String.fromCharCode(parseInt(token.slice(2), 16));
  }
  return /^\\[!-/:-@[-`{-~]$/.test(token) ? token.slice(1) : undefined;
}

/** The place behind a class, which begins at `at`. */
function afterClass(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "]") return i + 1;
  }
  return source.length;
}

/** The place behind a group, which begins at `at`. */
function afterGroup(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length;) {
    const character = source[i];
    if (character === "[") {
      i = afterClass(source, i);
      continue;
    }
    if (character === "(") depth++;
    if (character === ")" && --depth === 0) return i + 1;
    i += character === "\\" ? 2 : 1;
  }
  return source.length;
}

function textOf(sticky: RegExp, source: string, at: number): string {
  sticky.lastIndex = at;
  return sticky.exec(source)?.[0] ?? "";
}

function lengthOf(sticky: RegExp, source: string, at: number): number {
  return textOf(sticky, source, at).length;
}
