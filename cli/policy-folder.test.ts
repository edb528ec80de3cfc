import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CliError } from "./cli-error.ts";
import { readPolicyFolders } from "./policy-folder.ts";
import { useTempFolder } from "./testing/temp-folder.ts";

describe("readPolicyFolders", () => {
  const folder = useTempFolder();
  const put = (path: string, text = path): void => {
    mkdirSync(join(folder(), path, ".."), { recursive: true });
    writeFileSync(join(folder(), path), text);
  };
  const paths = (...folders: string[]): readonly string[] =>
    readPolicyFolders(folders, folder()).map(({ path }) => path);

  it("reads folders in the order they are named, each by name and recursively", () => {
    for (const path of ["p/b.yaml", "p/a.yml", "p/sub/c.yaml", "p/readme.md", "q/z.yaml"]) put(path);
    expect(paths("q", "p")).toEqual(["q/z.yaml", "p/a.yml", "p/b.yaml", "p/sub/c.yaml"]);
  });

  it("passes over hidden names and installed packages", () => {
    for (const path of ["p/a.yaml", "p/.git/b.yaml", "p/.c.yaml", "p/node_modules/x/d.yaml"]) put(path);
    expect(paths("p")).toEqual(["p/a.yaml"]);
  });

  it("follows links as mounted configuration has them, and enters no folder twice", () => {
    put("p/..2026/a.yaml", "mounted");
    symlinkSync("..2026", join(folder(), "p/..data"));
    symlinkSync("..data/a.yaml", join(folder(), "p/a.yaml"));
    symlinkSync("..", join(folder(), "p/loop"));
    put("p/b.yaml");
    expect(readPolicyFolders(["p"], folder())).toEqual([
      { path: "p/a.yaml", text: "mounted" },
      { path: "p/b.yaml", text: "p/b.yaml" },
    ]);
  });

  it("takes a single file as well", () => {
    put("p/a.yaml");
    expect(paths("p/a.yaml")).toEqual(["p/a.yaml"]);
  });

  it.each([
    ["nowhere", "there is no policy folder `nowhere`"],
    ["empty", "there are no policies (*.yaml) in `empty`"],
  ])("refuses the folder %s", (name, message) => {
    mkdirSync(join(folder(), "empty"));
    expect(() => paths(name)).toThrow(message);
    try {
      paths(name);
    } catch (error) {
      expect(error instanceof CliError && [error.exitCode, error.hint]).toEqual([
        3,
        expect.stringContaining("cellwall init"),
      ]);
    }
  });
});
