import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";
import { watchFolders } from "./watch-folders.ts";

describe("watchFolders", () => {
  const folder = useTempFolder();
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  function watch(): { readonly count: () => number; readonly at: (name: string) => string } {
    const at = (name: string): string => join(folder(), "policies", name);
    mkdirSync(at("sub"), { recursive: true });
    writeFileSync(at("a.yaml"), "one");
    let count = 0;
    const changed = async (): Promise<void> => {
      count += 1;
    };
    stops.push(watchFolders({ folders: ["policies"], cwd: folder(), intervalMs: 20, changed }));
    return { count: () => count, at };
  }

  it.each<[string, (at: (name: string) => string) => void]>([
    ["a save in place", (at) => writeFileSync(at("a.yaml"), "two")],
    ["a save of the same length", (at) => writeFileSync(at("a.yaml"), "ONE")],
    [
      "a save by rename",
      (at) => {
        writeFileSync(at(".a.yaml.swp"), "two");
        renameSync(at(".a.yaml.swp"), at("a.yaml"));
      },
    ],
    ["a new file in a folder below", (at) => writeFileSync(at("sub/b.yaml"), "b")],
    ["a file that goes", (at) => unlinkSync(at("a.yaml"))],
    ["the folder that goes", (at) => rmSync(at(""), { recursive: true })],
    ["a link that is exchanged", (at) => symlinkSync(at("a.yaml"), at("c.yaml"))],
  ])("notices %s, once", async (_what, edit) => {
    const { count, at } = watch();
    edit(at);
    await until("the edit was noticed", () => count() > 0);
    mkdirSync(at(""), { recursive: true });
    writeFileSync(at("z.yaml"), "a later edit");
    await until("the later edit was noticed", () => count() > 1);
    expect(count()).toBe(2);
  });

  it("takes a change of other files for no edit", async () => {
    const { count, at } = watch();
    writeFileSync(at("notes.txt"), "x");
    writeFileSync(at(".hidden.yaml"), "x");
    writeFileSync(at("a.yaml"), "an edit that counts");
    await until("that edit was noticed", () => count() > 0);
    expect(count()).toBe(1);
  });

  it("waits for the end of a burst of edits", async () => {
    const { count, at } = watch();
    for (let edit = 0; edit < 20; edit += 1) {
      writeFileSync(at("a.yaml"), `edit ${edit}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until("the burst was noticed", () => count() > 0);
    expect(count()).toBeLessThan(4);
  });
});
