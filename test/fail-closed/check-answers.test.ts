import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { type CheckAnswer, checkResponseBytes, DENIALS, type encodeAnswer } from "../../envoy/index.ts";
import { type Agent, createAgent } from "../../ext-authz/index.ts";
import { capturingLogger } from "../../ext-authz/testing/capture.ts";
import { readAnswer } from "../../ext-authz/testing/check-answer.ts";
import { checkRequest } from "../../ext-authz/testing/check-request.ts";
import { ORDERS, WEB } from "../../ext-authz/testing/signed-mesh.ts";
import { compile, decide } from "../../policies/engine.ts";
import { buildSet } from "../../policies/testing/build.ts";
import { generateOptions, generateRequest } from "../property/generate-request.ts";
import { generateSet } from "../property/generate-set.ts";
import { Random, runCount, runSeed } from "../property/random.ts";
import { type CheckClient, checkClient } from "../support/check-client.ts";
import { type ScriptedAuthority, startScriptedAuthority } from "../support/scripted-authority.ts";
import { until } from "../support/until.ts";

const facts = { decision: "d1", reason: "test", evaluated: "deny" };

// To Envoy an answer without status is an allow, and a denial with HTTP status 200 reads as a success. The compiler refuses
// each of these; `npm run check` fails where it does not.
describe("an empty, codeless or 200 answer cannot be written down", () => {
  it("is no value of the one type that answers are made of", () => {
    // @ts-expect-error an empty answer
    const empty: CheckAnswer = {};
    // @ts-expect-error a denial without its status
    const codeless: CheckAnswer = { kind: "denied", facts };
    // @ts-expect-error a denial with HTTP status 200
    const success: CheckAnswer = { kind: "denied", denial: { httpStatus: 200, grpcStatus: 7, word: "denied" }, facts };
    // @ts-expect-error a denial with gRPC status 0, which is an allow
    const ok: CheckAnswer = { kind: "denied", denial: { httpStatus: 403, grpcStatus: 0, word: "denied" }, facts };
    // @ts-expect-error an allow and a denial at once
    const both: CheckAnswer = { kind: "ok", denial: DENIALS.forbidden, facts };
    // @ts-expect-error bytes that were made elsewhere
    const bytes: CheckAnswer = new Uint8Array(0);
    expect([empty, codeless, success, ok, both, bytes]).toHaveLength(6);
    expectTypeOf<Parameters<typeof encodeAnswer>>().toEqualTypeOf<[CheckAnswer]>();
    expectTypeOf<(typeof DENIALS)[keyof typeof DENIALS]["httpStatus"]>().toEqualTypeOf<401 | 403 | 503>();
    expectTypeOf<(typeof DENIALS)[keyof typeof DENIALS]["grpcStatus"]>().toEqualTypeOf<7 | 14 | 16>();
  });

  it("does not come of a random decision: the status is there, and is 0 for an allow only", () => {
    const seed = runSeed();
    const runs = runCount(2_000, 100_000);
    const seen = { allow: 0, deny: 0 };
    for (let run = 0; run < runs; run++) {
      const random = new Random((seed + run) >>> 0);
      const input = generateSet(random);
      const set = buildSet(input);
      const decision = decide(compile(set, generateOptions(random, input)), generateRequest(random, input, set));
      const { status, httpStatus } = readAnswer(Buffer.from(checkResponseBytes(decision)));
      seen[decision.verdict] += 1;
      const told = `CELLWALL_SEED=${seed} run ${run}: ${decision.verdict} ${decision.reason}`;
      expect(status === 0, told).toBe(decision.verdict === "allow");
      expect(status, told).toBeDefined();
      expect(httpStatus, told).not.toBe(200);
      if (decision.verdict === "deny") expect([401, 403, 503], told).toContain(httpStatus);
    }
    expect(seen.allow).toBeGreaterThan(0);
    expect(seen.deny).toBeGreaterThan(0);
  });
});

describe("requests that no sidecar sends, on the socket of a real agent", () => {
  let authority: ScriptedAuthority;
  let folder = "";
  let agent: Agent;
  let orders: CheckClient;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    authority = await startScriptedAuthority();
    // A workload in monitor: what it relaxes must not reach what cannot be read.
    authority.bundle = await authority.mesh.bundle({ mode: "monitor" });
    const { joinToken, url } = authority;
    const folders = { stateDir: join(folder, "agent"), runDir: join(folder, "run") };
    agent = createAgent({ authorityUrl: url, joinToken, ...folders, log: capturingLogger() });
    await agent.start();
    await until(() => agent.ready(), Boolean);
    orders = checkClient(folders.runDir, "orders");
  });
  afterAll(async () => {
    orders?.close();
    await agent?.stop();
    await authority?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const honest = checkRequest({ caller: WEB, destination: ORDERS, http: { method: "GET", path: "/anything" } });

  it("answers the whole request, or these tests would prove nothing", async () => {
    expect(readAnswer(await orders.raw(honest)).status).toBe(0);
  });

  it("denies an empty request with an explicit status", async () => {
    expect(readAnswer(await orders.raw(Buffer.alloc(0)))).toMatchObject({ httpStatus: 503, reason: "internal-error" });
  });

  it("denies random and torn bytes with an explicit status, and goes on", async () => {
    const seed = runSeed();
    const random = new Random(seed);
    for (let run = 0; run < runCount(300, 20_000); run++) {
      const bytes = random.chance(0.5)
        ? Buffer.from(random.list(0, 200, () => random.int(256)))
        : honest.subarray(0, random.int(honest.length - 40));
      const { status, httpStatus } = readAnswer(await orders.raw(bytes));
      expect(status, `CELLWALL_SEED=${seed} run ${run}`).toBeGreaterThan(0);
      expect([401, 403, 503], `CELLWALL_SEED=${seed} run ${run}`).toContain(httpStatus);
    }
    expect(readAnswer(await orders.raw(honest)).status).toBe(0);
  });
});
