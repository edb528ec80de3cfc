import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";

async function script(shell: string): Promise<string> {
  const io = capturedIo("/");
  expect(await run(["completion", shell], io)).toBe(0);
  return io.out();
}

/** What bash offers for words, the last of which is being written. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const set = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}`;
  const text = `${await script("bash")}\n${set}\n_cellwall\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-c", text], { encoding: "utf8", cwd: "/" });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** An interactive zsh on a terminal of its own: what each line of `$TYPED` is after a tab. */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1="" PS2="" RPS1=""; unsetopt prompt_cr prompt_sp beep
  autoload -Uz compinit; compinit -D -u; source /dev/stdin <<<"$SCRIPT"
  bindkey "^I" complete-word
  show() { print -r -- "<<$BUFFER>>"; BUFFER=""; zle accept-line }
  zle -N show; bindkey "^X" show; print READY'
zpty -r shell out '*READY*READY*'
for line in "\${(@f)TYPED}"; do
  zpty -w -n shell "$line"$'\\t\\x18'
  zpty -r shell out '*<<*>>*'
  print -r -- "$out"
done
zpty -d shell
`;

function typedInZsh(written: string, typed: readonly string[]): readonly (string | undefined)[] {
  const env = { ...process.env, SCRIPT: written, TYPED: typed.join("\n"), TERM: "xterm" };
  const { stdout } = spawnSync("zsh", ["-f", "-c", ZSH], { encoding: "utf8", cwd: "/", env, timeout: 25_000 });
  return [...stdout.matchAll(/<<(.*?)>>/g)].map(([, line]) => line);
}

function offeredByFish(written: string, typed: string): readonly string[] {
  const env = { ...process.env, SCRIPT: written, TYPED: typed };
  const text = 'echo $SCRIPT | source; complete -C "$TYPED"';
  const { stdout } = spawnSync("fish", ["--no-config", "-c", text], {
    encoding: "utf8",
    cwd: "/",
    env,
    timeout: 20_000,
  });
  return stdout.split("\n").filter((line) => line !== "");
}

describe("cellwall completion", () => {
  it("offers commands, subcommands, options and the values of options in bash", async () => {
    expect(await offered("cellwall", "chec")).toEqual(["check"]);
    expect(await offered("cellwall", "ca", "to")).toEqual(["token"]);
    expect(await offered("cellwall", "check", "--out")).toEqual(["--output"]);
    expect(await offered("cellwall", "check", "--output", "s")).toEqual(["sarif"]);
    expect(await offered("cellwall", "completion", "")).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
    expect(await offered("cellwall", "check", "--fail-on", "error", "--sou")).toEqual(["--source"]);
  });

  it("offers files where a folder or a file is meant", async () => {
    expect(await offered("cellwall", "check", "us")).toContain("usr");
    expect(await offered("cellwall", "publish", "--token-file", "us")).toEqual(["usr"]);
  });

  const has = (shell: string): boolean => spawnSync(shell, ["--version"]).error === undefined;

  it.skipIf(!has("zsh"))("completes a line in zsh, as a terminal shows it (needs zsh)", async () => {
    const written = await script("zsh");
    const lines = new Map([
      ["cellwall chec", "cellwall check "],
      ["cellwall ca to", "cellwall ca token "],
      ["cellwall check --out", "cellwall check --output "],
      ["cellwall check --output sa", "cellwall check --output sarif "],
      ["cellwall completion fi", "cellwall completion fish "],
      ["cellwall publish --token-file /us", "cellwall publish --token-file /usr/"],
    ]);
    expect(typedInZsh(written, [...lines.keys()])).toEqual([...lines.values()]);
  });

  it.skipIf(!has("fish"))("offers the same in fish, with what each is for (needs fish)", async () => {
    const written = await script("fish");
    expect(offeredByFish(written, "cellwall chec")).toEqual([expect.stringMatching(/^check\tlook for mistakes/)]);
    expect(offeredByFish(written, "cellwall ca to")).toEqual([expect.stringMatching(/^token\t/)]);
    expect(offeredByFish(written, "cellwall check --out")).toEqual(["--output\tform of the answer"]);
    expect(offeredByFish(written, "cellwall check --output sa")).toEqual([expect.stringMatching(/^sarif\t/)]);
    expect(offeredByFish(written, "cellwall completion ")).toEqual(expect.arrayContaining(["bash", "fish", "zsh"]));
    expect(offeredByFish(written, "cellwall publish --token-file /us")).toEqual([expect.stringMatching(/^\/usr\//)]);
  });

  it.each(["bash", "zsh", "fish"])("knows every command in %s", async (shell) => {
    const written = await script(shell);
    for (const word of ["check", "publish", "fail-on", "sarif", "token"]) expect(written).toContain(word);
  });

  it("refuses another shell", async () => {
    expect(await run(["completion", "ksh"], capturedIo("/"))).toBe(2);
  });
});
