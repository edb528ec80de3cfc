import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MeshName } from "../../compose/index.ts";
import { runCommand } from "../support/processes.ts";

describe("cellwall demo --mesh", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function play(mesh: MeshName): Promise<string> {
    const args = ["demo", "--once", "--mesh", mesh];
    const { code, output } = await runCommand(args, { cwd: folder, env: { TMPDIR: folder } });
    expect(code, output).toBe(0);
    expect(output).not.toContain("Warning");
    expect(readdirSync(folder)).toEqual([]);
    return output;
  }

  it("boutique: carries the twenty calls over real Envoys and no other, and every attack ends as it should", async () => {
    const output = await play("boutique");
    expect(output).toContain("25 as expected, 0 otherwise");
    expect(output).toMatch(/one more visit: the twenty pairs, and no other +20 pairs/);
    expect(output).toMatch(/adservice +PaymentService\/Charge at paymentservice +grpc 7 +no-rule-matched/);
  });

  it("federated: carries calls across the border, refuses what an authority has no say in, ends and begins again", async () => {
    const output = await play("federated");
    expect(output).toContain("21 as expected, 0 otherwise");
    expect(output).toMatch(/checkout +POST \/charges at gateway, of pay\.example +200 +allowed-by-rule/);
    expect(output).toMatch(
      /helpdesk +POST \/charges at gateway: the wrong identity of the store +403 +no-rule-matched/,
    );
    expect(output).toMatch(/one that says gateway, of the store's authority, at ledger +TLS refused +untrusted-cert/);
    expect(output).toMatch(/one that says ghost, of the store's authority, at gateway +403 +no-rule-matched/);
    expect(output).toMatch(/take partners\.yaml from pay\.example.* 403 after \d+ ms +untrusted-domain/);
    expect(output).toMatch(/a new connection to gateway, with its own certificate +TLS refused +untrusted-certificate/);
    expect(output).toMatch(/put it back +200 after \d+ ms/);
  });
});
