import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { type CapturedIo, capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const NOW = new Date("2026-06-01T12:00:00Z");

function record(id: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    kind: "decision",
    id,
    time: "2026-05-01T00:00:00.000Z",
    workload: "shop/orders",
    verdict: "allow",
    evaluated: "allow",
    mode: "enforce",
    phase: "allow",
    outcome: "allowed",
    reason: "allowed-by-rule",
    line: "shop/orders/web-reads-orders#GET|HEAD /orders/{id:int}",
    pathTemplate: "/orders/{id:int}",
    epoch: 1,
    revision: 1,
    destination: "spiffe://mesh.example/shop/orders",
    caller: "spiffe://mesh.example/shop/web",
    method: "GET",
    path: "/orders/1",
    listenerPort: 8443,
    listenerKind: "mesh",
    tookMicros: 3,
    ...more,
  });
}

const PLACED = { method: "POST", path: "/orders", line: "shop/orders/web-places-orders#POST /orders" };
const DROPPED = { path: "/carts/1", line: "shop/orders/gone#GET /carts/{id}", pathTemplate: "/carts/{id}" };

describe("over recorded decisions", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    await run(["init"], capturedIo(folder()));
    mkdirSync(join(folder(), ".cellwall/log"), { recursive: true });
    log("decisions.jsonl.1", record("old"), record("dropped", DROPPED));
    log("decisions.jsonl", record("new"), record("placed", PLACED), '{"kind":"connection-refused"}', "torn");
  });

  function log(name: string, ...lines: readonly string[]): void {
    writeFileSync(join(folder(), ".cellwall/log", name), `${lines.join("\n")}\n`);
  }

  async function cellwall(...argv: string[]): Promise<{ readonly code: number; readonly io: CapturedIo }> {
    const io = capturedIo(folder(), { clock: () => NOW });
    return { code: await run(argv, io), io };
  }

  it("simulate reads all files of the state folder's log, oldest first, and says nothing on a pipe but the answer", async () => {
    const { code, io } = await cellwall("simulate", "--output", "json");
    expect([code, io.err()]).toEqual([0, ""]);
    expect(JSON.parse(io.out())).toMatchObject({
      decisions: 4,
      skipped: { other: 1, unreadable: 1 },
      counts: { "newly-denied": 1, "newly-allowed": 0, undecidable: 1, unchanged: 2 },
    });
  });

  it("simulate knows what the old set asked for", async () => {
    const { io } = await cellwall("simulate", "policies", "--old", "policies", "--output", "json");
    expect(JSON.parse(io.out())).toMatchObject({ counts: { undecidable: 0, unchanged: 3 } });
  });

  it.each([
    [["--fail-on", "newly-denied"], 1],
    [["--fail-on", "undecidable"], 1],
    [["--fail-on", "newly-allowed"], 0],
    [["--fail-on", "newly-allowed", "--fail-on", "newly-denied"], 1],
  ])("simulate %j ends with %i", async (argv, code) => {
    expect((await cellwall("simulate", ...argv)).code).toBe(code);
  });

  it("simulate tells as text and as Markdown", async () => {
    const text = (await cellwall("simulate")).io.out();
    expect(text).toContain("newly denied: 1");
    expect(text).toContain("depends on header `content-type`");
    expect((await cellwall("simulate", "--output", "markdown")).io.out()).toContain("| 1 | 0 | 1 | 2 | 4 |");
  });

  it.each([
    [["simulate", "--log", "nowhere.jsonl"], 3, "there is no decision log `nowhere.jsonl`"],
    [["simulate", "--state", "elsewhere"], 3, "there is no decision log in `elsewhere`"],
    [["simulate", "--fail-on", "anything"], 2, "Allowed choices are newly-denied"],
    [["simulate", "nowhere"], 3, "there is no policy folder `nowhere`"],
    [["explain", "--decision", "none"], 2, "no decision `none` is in the log"],
    [["explain", "--decision", "new", "GET /x"], 2, "stands for the request"],
    [["explain", "--from", "web", "GET /x"], 2, "or a decision's id"],
  ])("%j ends with %i", async (argv, code, message) => {
    const ended = await cellwall(...argv);
    expect([ended.code, ended.io.err()]).toEqual([code, expect.stringContaining(message)]);
  });

  it("explain tells of a decision what was recorded, what is unknown, and what the policies say now", async () => {
    const { code, io } = await cellwall("explain", "--decision", "dropped");
    expect(code).toBe(0);
    expect(io.out()).toContain("decision dropped at 2026-05-01T00:00:00.000Z: allow: shop/orders/gone#GET /carts/{id}");
    expect(io.out()).toContain("unknown below: host, headers, query, token");
    expect(io.out()).toContain("deny: no-rule-matched");
    expect(io.out()).toContain("path segment 1: expected `orders`; got `carts`");
  });

  it("explain says of a decision what cannot be told", async () => {
    const { io } = await cellwall("explain", "--decision", "placed", "--output", "json");
    const answer: unknown = JSON.parse(io.out());
    expect(answer).toMatchObject({
      record: { id: "placed" },
      unknown: ["host", "headers", "query", "token"],
      explanation: {
        decision: { reason: "cannot-evaluate" },
        deciding: { lacks: [{ kind: "header", got: "unrecorded" }] },
      },
    });
  });
});
