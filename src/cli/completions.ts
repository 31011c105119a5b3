/**
 * What shells need to complete a command line: scripts made from the rows of the
 * options.
 *
 * @module
 */
import { helpOf, type Option } from "../options/option.ts";
import { OPTIONS, type Shell } from "../options/rows.ts";

/**
 * Makes the completions of a shell: names of options, the words that a value
 * may be, and files where one is meant.
 *
 * @param shell Which.
 * @returns A script for it to source, or to load from a folder of completions.
 */
export function completions(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}

function bash(): string {
  const lists = OPTIONS.filter(({ list }) => list).map(({ name }) =>
    `--${name}=`
  );
  const values = OPTIONS.filter(({ argument }) => argument !== undefined)
    .map((option) => `    ${bashNames(option)}) ${bashValues(option)} ;;\n`);
  const names = OPTIONS.flatMap(({ name, short }) =>
    short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]
  );
  return `\
# bash completion of proxymachine
_proxymachine() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local option=$before begin='' offer='' line
  # bash takes = for a word of its own, unless it was told otherwise
  if [[ $word == '=' ]]; then
    option=$before= word=
  elif [[ $before == '=' ]]; then
    option=\${COMP_WORDS[COMP_CWORD-2]}=
  elif [[ $word == --*=* ]]; then
    option=\${word%%=*}= begin=\${word%%=*}= word=\${word#*=}
  fi
  # the last entry of a list
  case $option in
    ${lists.join("|")})
      if [[ $word == *,* ]]; then
        begin=$begin\${word%,*}, word=\${word##*,}
      fi ;;
  esac
  case $option in
${values.join("")}\
    *) offer=$(compgen -W ${quote(names.join(" "))} -- "$word") ;;
  esac
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line != '' ]]; then COMPREPLY+=("$begin$line"); fi
  done <<< "$offer"
}
complete -F _proxymachine proxymachine
`;
}

/** How an option whose value follows can be written; a list only with `=`. */
function bashNames({ name, short, list }: Option): string {
  if (list) return `--${name}=`;
  const long = `--${name}|--${name}=`;
  return short === undefined ? long : `-${short}|${long}`;
}

function bashValues({ words, path }: Option): string {
  const offers = [
    ...words === undefined
      ? []
      : [`compgen -W ${quote(words.join(" "))} -- "$word"`],
    ...path ? [`compgen -f -- "$word"`] : [],
  ];
  if (offers.length === 0) return ":";
  const offer = `offer=$(${offers.join("; ")})`;
  // a folder gets a slash, a name that is not plain its quotes; one that is
  // quoted already is left to bash
  return path
    ? `${offer}; compopt -o filenames -o default 2> /dev/null`
    : offer;
}

function zsh(): string {
  const specs = OPTIONS.map((option) => ` \\\n    ${zshSpec(option)}`);
  return `\
#compdef proxymachine
# zsh completion of proxymachine
_proxymachine_paths() {
  local -a words=("$@")
  _alternative 'files:file:_files' 'words:word:compadd -a words'
}
_proxymachine() {
  _arguments -s -S${specs.join("")}
}
if [[ $funcstack[1] == _proxymachine ]]; then
  _proxymachine "$@"
else
  compdef _proxymachine proxymachine
fi
`;
}

/** An argument of zsh's `_arguments`. */
function zshSpec(option: Option): string {
  const { name, short, argument, list, listener } = option;
  const help = `[${summary(option).replace(/[[\]:\\]/g, "\\$&")}]`;
  if (argument === undefined) return quote(`--${name}${help}`);
  const label = argument.replace(/[:\\]/g, "\\$&");
  const values = zshValues(option);
  if (list) {
    return quote(
      `*--${name}=-${help}::${label}:${values && `_sequence ${values}`}`,
    );
  }
  const rest = `${help}:${label}:${values}`;
  const again = listener ? "*" : "";
  if (short === undefined) return quote(`${again}--${name}=${rest}`);
  const either = quote(again || `(-${short} --${name})`);
  return `${either}{-${short}+,--${name}=}${quote(rest)}`;
}

function zshValues({ words, path }: Option): string {
  if (words === undefined) return path ? "_files" : "";
  return path
    ? ` _proxymachine_paths ${words.join(" ")}`
    : `(${words.join(" ")})`;
}

function fish(): string {
  const lines = OPTIONS.map((option) =>
    `complete -c proxymachine${fishName(option)}${fishValues(option)} -d ${
      quote(summary(option))
    }\n`
  );
  return `\
# fish completion of proxymachine
complete -c proxymachine -f
${lines.join("")}`;
}

function fishName({ name, short }: Option): string {
  return `${short === undefined ? "" : ` -s ${short}`} -l ${name}`;
}

function fishValues({ argument, list, words, path }: Option): string {
  if (argument === undefined) return "";
  if (list) {
    return path ? ` -a '(__fish_complete_list , __fish_complete_path)'` : "";
  }
  const offer = words === undefined ? "" : ` -a ${quote(words.join(" "))}`;
  return `${path ? " -r -F" : " -x"}${offer}`;
}

/** The first clause of the help, for menus of one line. */
function summary(option: Option): string {
  const help = helpOf(option);
  return help.split("; ", 1)[0] ?? help;
}

/** Quotes a text for any of the shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
