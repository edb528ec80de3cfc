import type { Command } from "commander";
import { commandsOf, type KnownCommand, type KnownOption } from "./commands-of.ts";

/** The completion script of a program for a shell: static text, so that completing starts no process. */
export function completionScript(shell: "bash" | "zsh" | "fish", program: Command): string {
  const commands = commandsOf(program);
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
    default:
      return shell satisfies never;
  }
}

/** Text between single quotes of any of the three shells. */
function quoted(text: string, quote = "'\\''"): string {
  return `'${text.replaceAll("'", quote)}'`;
}

function wordsOf({ subcommands, options, choices }: KnownCommand): readonly string[] {
  return [...subcommands.map(({ name }) => name), ...choices, ...options.flatMap(({ flags }) => flags)];
}

const keyOf = ({ path }: KnownCommand): string => path.join(" ");

function withValues({ options }: KnownCommand): readonly KnownOption[] {
  return options.filter(({ takesValue }) => takesValue);
}

function bash(commands: readonly KnownCommand[]): string {
  const paths = commands.map((one) => quoted(keyOf(one))).join("|");
  const words = commands.map((one) => `    ${quoted(keyOf(one))}) words=${quoted(wordsOf(one).join(" "))} ;;`);
  const values = commands.flatMap((one) =>
    withValues(one).map(({ flags, choices }) => {
      const pattern = flags.map((flag) => quoted(`${keyOf(one)} ${flag}`)).join("|");
      const offer = choices.length === 0 ? "files=1" : `words=${quoted(choices.join(" "))}`;
      return `    ${pattern}) ${offer}; value=1 ;;`;
    }),
  );
  return `# bash completion for cellwall
_cellwall() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' files='' value='' at next
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="\${path:+$path }\${COMP_WORDS[at]}"
    case $next in ${paths}) path=$next ;; esac
  done
  case "$path $previous" in
${values.join("\n")}
  esac
  if [[ -z $value ]]; then
    case $path in
${words.join("\n")}
    esac
    [[ $current == -* ]] || files=1
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n $files && -n $path ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _cellwall cellwall
`;
}

function zsh(commands: readonly KnownCommand[]): string {
  const described = (name: string, description: string): string =>
    quoted(`${name.replaceAll(":", "\\:")}:${description.replaceAll(":", "\\:")}`);
  const blocks = commands.map((one) => {
    const entries = [
      ...one.subcommands.map(({ name, description }) => described(name, description)),
      ...one.choices.map((choice) => described(choice, "")),
      ...one.options.flatMap(({ flags, description }) => flags.map((flag) => described(flag, description))),
    ];
    return `    ${quoted(keyOf(one))}) entries=(${entries.join(" ")}) ;;`;
  });
  const values = commands.flatMap((one) =>
    withValues(one).map(({ flags, choices }) => {
      const pattern = flags.map((flag) => quoted(`${keyOf(one)} ${flag}`)).join("|");
      const offer = choices.length === 0 ? "_files" : `compadd -- ${choices.map((choice) => quoted(choice)).join(" ")}`;
      return `    ${pattern}) ${offer}; return ;;`;
    }),
  );
  const paths = commands.map((one) => quoted(keyOf(one))).join("|");
  return `#compdef cellwall
_cellwall() {
  local command='' next at
  local -a entries
  for ((at = 2; at < CURRENT; at++)); do
    next="\${command:+$command }\${words[at]}"
    case $next in (${paths}) command=$next ;; esac
  done
  case "$command \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  case $command in
${blocks.join("\n")}
  esac
  _describe 'cellwall' entries
  [[ -n $command ]] && _files
}
compdef _cellwall cellwall
`;
}

function fish(commands: readonly KnownCommand[]): string {
  const say = (text: string): string => quoted(text.replaceAll("\\", "\\\\"), "\\'");
  const lines = commands.flatMap((one) => {
    const here = `__cellwall_path "${keyOf(one)}"`;
    return [
      ...one.subcommands.map(
        ({ name, description }) => `complete -c cellwall -n ${say(here)} -f -a ${say(name)} -d ${say(description)}`,
      ),
      ...(one.choices.length === 0 ? [] : [`complete -c cellwall -n ${say(here)} -f -a ${say(one.choices.join(" "))}`]),
      ...one.options.map((option) => `complete -c cellwall -n ${say(here)} ${fishOption(option, say)}`),
    ];
  });
  return `# fish completion for cellwall
function __cellwall_path
  set -l path ''
  for word in (commandline -opc)[2..]
    set -l next (string trim -- "$path $word")
    if contains -- "$next" ${commands
      .filter(({ path }) => path.length > 0)
      .map((one) => say(keyOf(one)))
      .join(" ")}
      set path $next
    end
  end
  test "$path" = "$argv[1]"
end
${lines.join("\n")}
`;
}

function fishOption({ flags, description, takesValue, choices }: KnownOption, say: (text: string) => string): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(" ");
  const value = !takesValue ? "" : choices.length === 0 ? " -r" : ` -x -a ${say(choices.join(" "))}`;
  return `${names}${value} -d ${say(description)}`;
}
