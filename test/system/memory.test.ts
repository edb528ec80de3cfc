import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CheckClient, checkClient } from "../support/check-client.ts";
import { manyWorkloads } from "../support/many-workloads.ts";
import { type CommandProcess, startCommand } from "../support/processes.ts";
import { recordResult } from "../support/record-result.ts";
import { residentMegabytes } from "../support/resident-memory.ts";
import { until } from "../support/until.ts";

const WORKLOADS = 10;
const LIMIT_MB = 150;
const DECISIONS = 500;

const id = (name: string): string => `spiffe://test.example/shop/${name}`;

// `/proc` tells what a process really holds; elsewhere nothing comparable does.
const TITLE = `\`cellwall up\` with ${WORKLOADS} workloads (Linux: /proc)`;
describe.runIf(process.platform === "linux")(TITLE, () => {
  let folder = "";
  let up: CommandProcess;
  const clients: CheckClient[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies", "mesh.yaml"), manyWorkloads(WORKLOADS));
    up = startCommand(["up", "--port", "0", "--metrics", "127.0.0.1:0"], { cwd: folder });
    await until(
      () => up.output(),
      (text) => text.includes(`serves ${WORKLOADS} workloads`),
      { deadlineMs: 30_000, what: "`cellwall up` to serve" },
    );
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await up?.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  it(`holds less than ${LIMIT_MB} MB, before and after ${DECISIONS} decisions`, async () => {
    const before = residentMegabytes(up.pid);
    const names = Array.from({ length: WORKLOADS - 1 }, (_, index) => `app-${index + 1}`);
    for (const name of names) clients.push(checkClient(join(folder, ".cellwall", "run"), name));
    const tally: Record<string, number> = {};
    for (let at = 0; at < DECISIONS; at++) {
      const name = names[at % names.length] ?? "";
      const path = at % 5 === 0 ? "/admin" : `/orders/${at}`;
      const sample = { caller: id("web"), destination: id(name), http: { method: "GET", path } };
      const answer = (await clients[at % names.length]?.check(sample)) ?? "";
      tally[answer] = (tally[answer] ?? 0) + 1;
    }
    const after = residentMegabytes(up.pid);
    console.log(
      `resident: ${before.toFixed(1)} MB after the start, ${after.toFixed(1)} MB after ${DECISIONS} decisions`,
    );
    recordResult("resident-memory", { workloads: WORKLOADS, decisions: DECISIONS, megabytes: { before, after } });
    expect(tally).toEqual({ allowed: DECISIONS * 0.8, "403 denied-by-rule": DECISIONS * 0.2 });
    expect(before).toBeLessThan(LIMIT_MB);
    expect(after).toBeLessThan(LIMIT_MB);
  });
});
