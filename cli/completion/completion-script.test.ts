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

  it.each(["zsh", "fish"])("knows every command and option in %s, quotes closed", async (shell) => {
    const text = await script(shell);
    for (const word of ["check", "publish", "--fail-on", "sarif", "token"].map((each) => each.replace(/^--/, "")))
      expect(text).toContain(word);
    const { error } = spawnSync(shell, ["-n", "-c", text]);
    const parsed = error === undefined ? spawnSync(shell, ["-n"], { input: text, encoding: "utf8" }).stderr : "";
    expect(parsed).toBe("");
  });

  it("refuses another shell", async () => {
    expect(await run(["completion", "ksh"], capturedIo("/"))).toBe(2);
  });
});
