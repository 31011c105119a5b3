/**
 * Texts of routers.
 *
 * @module
 */

/** A router that sends everybody to one remote at the first byte. */
export function routerTo(remote: string): string {
  return `export default () => ({ remote: "${remote}" });`;
}

/** A router that answers each line with `reply`, until one says where to go. */
export function dialogue(
  remote: string,
  reply = "data.text.slice(0, length)",
): string {
  return `export default (data) => {
    const length = data.text.indexOf("\\n") + 1;
    if (length === 0) return { noop: true };
    return data.startsWith("go")
      ? { remote: "${remote}", reply: "going\\n" }
      : { reply: ${reply}, consume: length };
  };`;
}
