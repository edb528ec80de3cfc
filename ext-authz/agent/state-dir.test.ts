import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StateDir } from "./state-dir.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("StateDir", () => {
  it("keeps files of 0600 in folders of 0700", () => {
    const state = new StateDir(join(folder, "agent"));
    state.write("svids/a.json", "{}");
    expect(statSync(join(folder, "agent")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "agent", "svids")).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "agent", "svids", "a.json")).mode & 0o777).toBe(0o600);
    expect(state.list("svids")).toEqual(["a.json"]);
  });

  it("reads back what it wrote, and undefined for what is missing or torn", () => {
    const state = new StateDir(folder);
    state.writeJson("a.json", { n: 1 });
    state.writeJson("a.json", { n: 2 });
    writeFileSync(join(folder, "torn.json"), '{"n":');
    expect(state.readJson("a.json")).toEqual({ n: 2 });
    expect([state.readJson("torn.json"), state.readJson("b.json"), state.read("b")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    state.remove("a.json");
    expect([state.readText("a.json"), state.list("none")]).toEqual([undefined, []]);
  });

  it("says which file cannot be used", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => new StateDir(join(folder, "file"))).toThrow(expect.objectContaining({ code: "ERR_AGENT_STATE" }));
  });
});
