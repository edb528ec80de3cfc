import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/processes.ts";

describe("cellwall demo --mesh boutique", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("carries the twenty calls over real Envoys and no other, and every attack ends as it should", async () => {
    const args = ["demo", "--once", "--mesh", "boutique"];
    const { code, output } = await runCommand(args, { cwd: folder, env: { TMPDIR: folder } });
    expect(code, output).toBe(0);
    expect(output).toContain("25 as expected, 0 otherwise");
    expect(output).toMatch(/one more visit: the twenty pairs, and no other +20 pairs/);
    expect(output).toMatch(/adservice +PaymentService\/Charge at paymentservice +grpc 7 +no-rule-matched/);
    expect(output).not.toContain("Warning");
  });
});
