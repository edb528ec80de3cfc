import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { meshFolder } from "../../compose/index.ts";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

describe("cellwall envoy render --out", () => {
  const folder = useTempFolder();
  const render = async (...more: readonly string[]) => {
    cpSync(join(meshFolder("shop"), "policies"), join(folder(), "policies"), { recursive: true });
    const io = capturedIo(folder());
    return { code: await run(["envoy", "render", "--envoy-version", "1.40.0", ...more], io), io };
  };

  it("writes a configuration for each sidecar, readable by its owner alone, without an admin interface", async () => {
    expect((await render("--out", "out", "--run-dir", "/run/cellwall")).code).toBe(0);
    const names = readdirSync(join(folder(), "out"));
    expect(names.sort()).toEqual(["shop.db.json", "shop.intruder.json", "shop.orders.json", "shop.web.json"]);
    for (const name of names) {
      const path = join(folder(), "out", name);
      expect(statSync(path).mode & 0o777).toBe(0o400);
      const bootstrap = JSON.parse(readFileSync(path, "utf8"));
      expect(bootstrap).not.toHaveProperty("admin");
      expect(JSON.stringify(bootstrap)).toContain(`/run/cellwall/${name.replace(".json", "")}/authz.sock`);
    }
    // Written anew at the next start.
    expect((await render("--out", "out")).code).toBe(0);
  });

  it("wants one sidecar or a folder for all, not both and not neither", async () => {
    for (const options of [[], ["--workload", "web", "--out", "out"]]) {
      const { code, io } = await render(...options);
      expect([code, io.err()]).toEqual([2, expect.stringContaining("`--out`")]);
    }
  });
});
