/**
 * Writing tables in Markdown.
 *
 * @module
 */

/**
 * Makes a text fit for a cell of a table: one line, small at its beginning, and
 * without a period at its end.
 */
export function cell(text: string): string {
  const plain = text.replace(/\.$/, "").replaceAll("|", "\\|");
  return /^[A-Z][a-z]/.test(plain) || /^A /.test(plain)
    ? plain.charAt(0).toLowerCase() + plain.slice(1)
    : plain;
}

/**
 * Writes a table.
 *
 * @param head The cells of the first row.
 * @param rows The cells of each row below it.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Formats a page as `deno fmt` does. */
export async function format(page: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(page));
  await writer.close();
  return new TextDecoder().decode((await output).stdout);
}
