import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { type CapturedIo, capturedIo, until } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const FAILING = `apiVersion: cellwall.dev/v1
kind: PolicyTest
metadata: { name: more, namespace: shop }
spec:
  to: orders
  cases:
    - { from: web, request: PUT /orders/42, expect: allow }
`;

describe("cellwall test", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    expect(await run(["init"], capturedIo(folder()))).toBe(0);
  });
  const path = (name: string): string => join(folder(), "policies", name);

  async function tested(...argv: string[]): Promise<readonly [number, CapturedIo]> {
    const io = capturedIo(folder());
    return [await run(["test", ...argv], io), io];
  }

  it("passes on the starter set, whose tests notice at least 90 % of its mutants", async () => {
    const [code, io] = await tested("--mutate", "--min-score", "90", "--min-coverage", "90");
    expect([code, io.err()]).toEqual([0, ""]);
    expect(io.out()).toContain("ok: 14 cases passed, coverage 100 % (5 of 5)\nmutants: 100 % killed");
  });

  it("shows a failing case with its place, what it got and the nearest line, and ends with 1", async () => {
    writeFileSync(path("more.yaml"), FAILING);
    const [code, io] = await tested("--mutate");
    expect(code).toBe(1);
    expect(io.out()).toMatch(
      /policies\/more\.yaml:7:\d+: error: `web: PUT \/orders\/42` at `shop\/orders`: expected allow, got deny/,
    );
    expect(io.out()).toContain("GET|HEAD /orders/{id:int}");
    expect(io.out()).toContain("not ok: 14 cases passed, 1 failed");
    expect(io.out()).not.toContain("mutants:");
  });

  it("ends with 1 below a threshold, and lists what is not covered", async () => {
    const text = readFileSync(path("tests.yaml"), "utf8");
    writeFileSync(
      path("tests.yaml"),
      text
        .split("\n")
        .filter((line) => !line.includes("text/plain"))
        .join("\n"),
    );
    const [code, io] = await tested("--min-coverage", "90");
    expect(code).toBe(1);
    expect(io.out()).toContain("the tests cover 80 % of lines and conditions, and 90 % are asked for");
    expect(io.out()).toMatch(
      /not covered:\n {2}policies\/access\.yaml:\d+:\d+: web-places-orders: no case in which this fails: header `content-type`/,
    );
    expect((await tested("--min-coverage", "80"))[0]).toBe(0);
    const [mutated, other] = await tested("--mutate", "--min-score", "100");
    expect(mutated).toBe(1);
    expect(other.out()).toMatch(/mutants: \d+ % killed, and 100 % are asked for \(/);
    expect(other.out()).toContain("[mutant-survived]");
    expect(other.out()).toMatch(
      /add to a test of `shop\/orders`: \{ from: web, request: POST \/orders, .* expect: deny \}/,
    );
    expect((await tested("--mutate"))[0]).toBe(0);
  });

  it("writes JSON, JUnit and SARIF", async () => {
    writeFileSync(path("more.yaml"), FAILING);
    const [, asJson] = await tested("--output", "json");
    expect(JSON.parse(asJson.out())).toMatchObject({ ok: false, passed: 14, failed: 1, coverage: { percent: 100 } });
    const [, junit] = await tested("--output", "junit");
    expect(junit.out()).toContain('<testsuite name="shop/more" tests="1" failures="1"');
    expect(junit.out()).toContain('<testsuite name="shop/web" tests="1" failures="0"');
    const [, sarif] = await tested("--output", "sarif");
    expect(JSON.parse(sarif.out()).runs[0].results).toMatchObject([{ ruleId: "test-failed", level: "error" }]);
  });

  it("says that nothing was run where a set has no tests, and what is not covered in the order of the files", async () => {
    rmSync(path("tests.yaml"));
    const [code, io] = await tested();
    expect(code).toBe(0);
    expect(io.out()).toContain("ok: no case was run, for the set has no PolicyTest, coverage 0 % (0 of 5)");
    const lines = [...io.out().matchAll(/^ {2}policies\/access\.yaml:(\d+):/gm)].map(([, line]) => Number(line));
    expect(lines).toHaveLength(4);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  it("refuses numbers that are none", async () => {
    expect((await tested("--min-coverage", "101"))[0]).toBe(2);
    expect((await tested("--min-score", "x"))[0]).toBe(2);
    expect((await tested("--mutate", "--budget", "0"))[0]).toBe(2);
  });

  it("refuses a threshold of mutants where none are run, which would always be met", async () => {
    const [code, io] = await tested("--min-score", "90");
    expect([code, io.out()]).toEqual([2, ""]);
    expect(io.err()).toContain("`--min-score` belongs to `--mutate`");
  });

  it("watches: runs again after an edit, waits where a set cannot be read, ends when asked to", async () => {
    const io = capturedIo(folder());
    const ended = run(["test", "--watch"], io);
    await until("the first run", () => io.out().includes("14 cases passed"));
    writeFileSync(path("more.yaml"), "kind: [");
    await until("the broken set", () => io.err().includes("the set has"));
    writeFileSync(path("more.yaml"), FAILING);
    await until("the run after the edit", () => io.out().includes("14 cases passed, 1 failed"));
    io.stop();
    expect(await ended).toBe(0);
  });
});
