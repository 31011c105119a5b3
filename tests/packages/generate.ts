/**
 * Makes the manual page from the rows of the options: `deno task man` writes it to
 * `examples/packages/man/proxymachine.8`.
 *
 * @module
 */
import { join } from "node:path";
import { EXIT_STATUS, SIGNALS } from "../../src/cli/exit_status.ts";
import { helpOf, type Option, type Section } from "../../src/options/option.ts";
import { SECTIONS } from "../../src/options/rows.ts";
import { PACKAGES } from "../support/paths.ts";

/** The file that holds the manual page. */
export const MAN_PAGE: string = join(PACKAGES, "man", "proxymachine.8");

if (import.meta.main) await Deno.writeTextFile(MAN_PAGE, manPage());

/** Makes the manual page, in mdoc(7). */
export function manPage(): string {
  return `\
.\\" Made by "deno task man" from src/options/rows.ts: change that instead.
.Dd November 22, 2026
.Dt PROXYMACHINE 8
.Os
.Sh NAME
.Nm proxymachine
.Nd content-aware TCP routing proxy
.Sh SYNOPSIS
.Nm
.Fl c Ar FILE
.Op Fl h Ar HOST
.Op Fl p Ar PORT
.Op Ar options
.Nm
.Fl c Ar FILE
.Fl -check | Fl -dry-run Ar FILE
.Op Ar options
.Nm
.Fl -completions Ar SHELL | Fl -help | Fl -types | Fl -version
.Sh DESCRIPTION
.Nm
accepts TCP connections, buffers the first bytes of each client, and shows them
to a router: a module in TypeScript or JavaScript, or a table of routes.
The router names the remote that the connection is for.
The remote gets the buffered bytes, and from then on both connections are
joined, byte by byte and in both directions, until both sides have ended.
.Pp
The router runs in worker threads, one per CPU core, which may use the network
and, unless options grant it, nothing else.
.Sh OPTIONS
${SECTIONS.map(section).join("")}\
.Sh SIGNALS
.Bl -tag -width Ds
${
    SIGNALS.map(([names, help]) =>
      `.It ${names.split(", ").map((name) => `Dv SIG${name}`).join(" , ")}\n${
        sentence(help)
      }`
    ).join("")
  }.El
.Sh FILES
.Bl -tag -width Ds
.It Pa router.ts
A router module: its default export is an object whose
.Fn route
gets the bytes so far and the client, and returns a decision:
.Bd -literal
export default {
  route(data) {
    if (data.length < 3) return; // wait for more bytes
    if (data.startsWith("GET")) return { remote: "10.0.0.1:80" };
    return { close: "not here\\en" };
  },
};
.Ed
.Pp
The declarations that it is checked against are printed by
.Fl -types .
.It Pa routes.yaml
A route table: routes are tried in order, and the first that matches names the
remote:
.Bd -literal
listen: ["0.0.0.0:443"]
routes:
  - match: { tls: { serverName: "*.example.com" } }
    remote: "\${tls.serverName.1}.internal:443"
  - match: { ssh: true }
    remote: "10.0.0.6:22"
default:
  close: true
.Ed
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
${
    EXIT_STATUS.map(([status, help]) => `.It ${status}\n${sentence(help)}`)
      .join("")
  }.El
.Sh EXAMPLES
Check a router, see what it makes of a request, and serve with it:
.Bd -literal -offset indent
proxymachine -c router.ts --check
printf 'GET / HTTP/1.1\\er\\en' | proxymachine -c router.ts --dry-run -
proxymachine -c router.ts -p 8080
.Ed
.Pp
Let the router read one file and connect to one network:
.Bd -literal -offset indent
proxymachine -c router.ts --allow-read=/etc/hosts --allow-net=10.0.0.0/8
.Ed
.Sh SEE ALSO
.Lk https://github.com/mojombo/proxymachine "the original ProxyMachine"
`;
}

function section({ title, note, options }: Section): string {
  return `.Ss ${text(title)}
${note === undefined ? "" : sentence(note)}\
.Bl -tag -width Ds
${
    options.map((option) =>
      `.It ${usage(option)}\n${sentence(helpOf(option), option.words)}`
    )
      .join("")
  }\
.El
`;
}

/** The names of an option, with its argument. */
function usage({ name, short, argument, list }: Option): string {
  const value = argument === undefined ? "" : ` ${parameter(argument)}`;
  if (list) return `Fl -${name} Ns Oo = Ns${value} , Ns ... Oc`;
  const long = `Fl -${name}${value}`;
  return short === undefined ? long : `Fl ${short}${value} , ${long}`;
}

/** The name of an argument, which may have an optional part: `HOST[:PORT]`. */
function parameter(argument: string): string {
  const [, first, sign, second] = /^(\w+)\[(\W)(\w+)\]$/.exec(argument) ?? [];
  if (first === undefined) return `Ar ${argument}`;
  return `Ar ${first} Ns Oo ${sign} Ns Ar ${second} Oc`;
}

/**
 * A text of its own: begins with a capital letter, unless with a word that the
 * value may be, and ends with a period.
 */
function sentence(help: string, words: readonly string[] = []): string {
  const [first = ""] = help.split(/\W/, 1);
  const begin = words.includes(first) ? help[0] : help[0]?.toUpperCase();
  return `${text(begin + help.slice(1))}.\n`;
}

/** Breaks a text into lines of which none is taken for a request. */
function text(words: string): string {
  const lines: string[] = [];
  for (const word of words.replaceAll("\\", "\\e").split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 77) {
      lines.push(/^[.']/.test(word) ? `\\&${word}` : word);
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
    }
  }
  return lines.join("\n");
}
