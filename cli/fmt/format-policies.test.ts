import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const MESSY = `kind: Node
apiVersion: cellwall.dev/v1
metadata: {name: host-1}   # a host
spec:
    attest:
    - joinToken: {}
`;
const TIDY = `apiVersion: cellwall.dev/v1
kind: Node
metadata: { name: host-1 } # a host
spec:
  attest:
    - joinToken: {}
`;

describe("cellwall fmt", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    expect(await run(["init"], capturedIo(folder()))).toBe(0);
  });
  const path = (): string => join(folder(), "policies/node.yaml");

  async function formatted(...argv: string[]): Promise<readonly [code: number, out: string, err: string]> {
    const io = capturedIo(folder());
    return [await run(["fmt", ...argv], io), io.out(), io.err()];
  }

  it("finds the starter set in its form already", async () => {
    expect(await formatted("--check")).toEqual([0, "4 files, 0 to format\n", ""]);
  });

  it("only looks without `--write`", async () => {
    writeFileSync(path(), MESSY);
    expect(await formatted()).toEqual([0, "would format policies/node.yaml\n5 files, 1 to format\n", ""]);
    expect((await formatted("--check"))[0]).toBe(1);
    expect(readFileSync(path(), "utf8")).toBe(MESSY);
  });

  it("writes with it, once", async () => {
    writeFileSync(path(), MESSY);
    expect(await formatted("--write")).toEqual([0, "formatted policies/node.yaml\n5 files, 1 formatted\n", ""]);
    expect(readFileSync(path(), "utf8")).toBe(TIDY);
    expect(await formatted("--check")).toEqual([0, "5 files, 0 to format\n", ""]);
  });

  it("leaves a file that is no YAML, says why, and ends with 1", async () => {
    writeFileSync(path(), "kind: [\n");
    const [code, out, err] = await formatted("policies/node.yaml", "--write");
    expect([code, out]).toEqual([1, "1 file, 0 formatted\n"]);
    expect(err).toMatch(/left as it is: policies\/node\.yaml\npolicies\/node\.yaml:\d+:\d+: error: /);
    expect(readFileSync(path(), "utf8")).toBe("kind: [\n");
    expect((await formatted("--check", "--write"))[0]).toBe(2);
  });
});
