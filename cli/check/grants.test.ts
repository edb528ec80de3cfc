import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { type CapturedIo, capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";
import { teamText } from "./testing/team.ts";

const workload = (namespace: string): string => `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: invoices, namespace: ${namespace} }
spec: { mode: enforce }
`;

describe("cellwall check --against … --source …", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    expect(await run(["init", "platform"], capturedIo(folder()))).toBe(0);
    mkdirSync(join(folder(), "own"));
    writeFileSync(join(folder(), "platform/team.yaml"), teamText("billing", "billing"));
  });

  async function checked(namespace: string, ...argv: readonly string[]): Promise<readonly [number, CapturedIo]> {
    writeFileSync(join(folder(), "own/billing.yaml"), workload(namespace));
    const io = capturedIo(folder());
    return [await run(["check", "own", "--fail-on", "error", ...argv], io), io];
  }

  it("holds the folders against the grant of the source's team, as the publish will", async () => {
    const [code, io] = await checked("shop", "--against", "platform", "--source", "billing");
    expect(code).toBe(1);
    expect(io.out()).toMatch(
      /^own\/billing\.yaml:3:\d+: error: the Workload `shop\/invoices` is in the namespace `shop`.*\[team-namespace\]/m,
    );
    expect(io.out()).toContain("1 error");
  });

  it("finds nothing within the grant, for the platform's own source, and where no source is named", async () => {
    const inside = await checked("billing", "--against", "platform", "--source", "billing");
    expect([inside[0], inside[1].out()]).toEqual([0, expect.not.stringContaining("[team-")]);
    for (const argv of [["--source", "nobody"], []]) {
      const [code, io] = await checked("shop", "--against", "platform", ...argv);
      expect([code, io.out()]).toEqual([0, expect.not.stringContaining("[team-")]);
    }
  });

  it("refuses a source without what others have published", async () => {
    const [code, io] = await checked("billing", "--source", "billing");
    expect([code, io.out()]).toEqual([2, ""]);
    expect(io.err()).toMatch(
      /`--source` belongs to `--against`[\s\S]* hint: write `--against authority --source billing`/,
    );
  });
});
