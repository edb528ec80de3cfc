import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Revocations } from "../../policies/index.ts";
import type { NodeWorkloads, SvidsRequest, SvidsResponse } from "../../protocol/index.ts";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { AgentError } from "../agent-error.ts";
import { MonotonicClock, systemClock } from "../monotonic-clock.ts";
import { capturingLogger, until } from "../testing/capture.ts";
import { issueFor, testHierarchy } from "../testing/fake-authority.ts";
import { StateDir } from "./state-dir.ts";
import { SvidKeeper } from "./svid-keeper.ts";
import { systemTimers } from "./timers.ts";
import { TrustStore } from "./trust-store.ts";

const mesh = testHierarchy("shop.example");
const WEB = "spiffe://shop.example/shop/web";
const DB = "spiffe://shop.example/shop/db";
type Entry = NodeWorkloads["workloads"][number];
const entry = (name: string): Entry => ({
  identity: `spiffe://shop.example/shop/${name}`,
  namespace: "shop",
  name,
  sharedUid: false,
  serverFirstPorts: [],
});

let folder = "";
let stop = new AbortController();
const running: Promise<void>[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await Promise.all(running.splice(0));
  rmSync(folder, { recursive: true, force: true });
});

type Issue = (request: SvidsRequest) => SvidsResponse | Promise<SvidsResponse>;
const issueAll =
  (lifeMs = 3_600_000): Issue =>
  ({ requests }) => ({
    certificates: requests.map(({ csr, identity }) => issueFor(mesh.intermediate, csr, identity, lifeMs)),
  });

function keeper(issue: Issue | undefined, options: { readonly clock?: () => Date } = {}) {
  const files = new StateDir(folder);
  const trust = new TrustStore(files);
  trust.take({ trustDomain: "shop.example", bundles: { "shop.example": formatTrustBundle(mesh.root.bundle()) } });
  const requests: SvidsRequest[] = [];
  const state = {
    revocations: { sequence: 0, serials: new Set<string>(), identities: new Set<string>() } as Revocations,
  };
  const log = capturingLogger();
  const kept = new SvidKeeper({
    files,
    trust,
    clock: new MonotonicClock(systemClock(options.clock)),
    timers: systemTimers,
    log,
    client: () =>
      issue === undefined
        ? undefined
        : {
            svids: async (request) => {
              requests.push(request);
              return await issue(request);
            },
          },
    revocations: () => state.revocations,
    changed: () => undefined,
  });
  running.push(kept.keep(stop.signal));
  const of = (identity: string) => kept.kept.get(identity);
  return { kept, of, requests, state, trust, log };
}

describe("the SVID keeper", () => {
  it("obtains one certificate a workload, each for a key of its own, in one request", async () => {
    const { kept, of, requests } = keeper(issueAll());
    kept.serve([entry("web"), entry("db")]);
    await until("both certificates", () => of(WEB)?.svid !== undefined && of(DB)?.svid !== undefined);
    expect(requests).toHaveLength(1);
    const [web, db] = [of(WEB)?.svid, of(DB)?.svid];
    expect([web?.id.toString(), db?.id.toString()]).toEqual([WEB, DB]);
    expect(web !== undefined && db !== undefined && web.privateKey.equals(db.privateKey)).toBe(false);
    expect(of(WEB)?.identity.state.kind).toBe("present");
    expect(statSync(join(folder, "svids", "shop.web.json")).mode & 0o777).toBe(0o600);
  });

  it("renews at half life with a new key, and the old one serves until then", async () => {
    const { kept, of } = keeper(issueAll(4_000));
    kept.serve([entry("web")]);
    await until("the certificate", () => of(WEB)?.svid !== undefined);
    const first = of(WEB)?.svid;
    const kinds = new Set<string>();
    of(WEB)?.identity.subscribe(() => kinds.add(of(WEB)?.identity.state.kind ?? ""));
    await until("another certificate", () => of(WEB)?.svid !== first);
    expect([...kinds]).toEqual(["present"]);
    expect(Date.now()).toBeLessThan(first?.notAfter.getTime() ?? 0);
    expect(of(WEB)?.svid?.privateKey.equals(first?.privateKey ?? mesh.root.privateKey)).toBe(false);
  });

  it("asks one by one when the authority refuses a batch, so that one refusal does not hold up the others", async () => {
    const refuse = new AgentError("ERR_AGENT_AUTHORITY_REFUSED", "`db` may not run here", { httpStatus: 403 });
    const { kept, of } = keeper((request) => {
      if (request.requests.some(({ identity }) => identity === DB)) throw refuse;
      return issueAll()(request);
    });
    kept.serve([entry("db"), entry("web")]);
    await until("the certificate", () => of(WEB)?.svid !== undefined && of(DB)?.problem !== undefined);
    expect(of(DB)?.identity.state).toEqual({ kind: "none", reason: "`db` may not run here" });
    expect(of(WEB)?.identity.state.kind).toBe("present");
  });

  it("refuses a certificate of another identity or for another key", async () => {
    let csr = "";
    const { kept, of, log } = keeper(({ requests }) => {
      csr = csr === "" ? (requests[0]?.csr ?? "") : csr;
      return { certificates: requests.map(({ identity }) => issueFor(mesh.intermediate, csr, identity)) };
    });
    kept.serve([entry("web")]);
    await until("the certificate", () => of(WEB)?.svid !== undefined);
    kept.serve([entry("web"), entry("db")]);
    await until("a refusal", () => of(DB)?.problem !== undefined);
    expect(of(DB)?.problem).toMatch(/is refused/);
    expect(log.lines.some((line) => line.level === "warn")).toBe(true);
  });

  it("takes up what is on disk without the authority, verified again", async () => {
    const first = keeper(issueAll());
    first.kept.serve([entry("web")]);
    await until("the certificate", () => first.of(WEB)?.svid !== undefined);
    const offline = keeper(undefined);
    offline.kept.serve([entry("web"), entry("db")]);
    expect(offline.of(WEB)?.svid?.serial).toBe(first.of(WEB)?.svid?.serial);
    expect(offline.of(WEB)?.identity.state.kind).toBe("present");
    expect(offline.of(DB)?.identity.state.kind).toBe("pending");
    const later = keeper(undefined, { clock: () => new Date(Date.now() + 2 * 3_600_000) });
    later.kept.serve([entry("web")]);
    expect(later.of(WEB)?.svid).toBeUndefined();
  });

  it("withdraws a revoked identity, and replaces a revoked certificate", async () => {
    const { kept, of, requests, state } = keeper(issueAll());
    kept.serve([entry("web"), entry("db")]);
    await until("both certificates", () => of(WEB)?.svid !== undefined && of(DB)?.svid !== undefined);
    const serial = of(DB)?.svid?.serial ?? "";
    state.revocations = { sequence: 1, serials: new Set([serial]), identities: new Set([WEB]) };
    kept.reconsider();
    expect(of(WEB)?.identity.state).toEqual({ kind: "none", reason: "the identity is revoked" });
    await until("another certificate", () => of(DB)?.identity.state.kind === "present");
    expect(of(DB)?.svid?.serial).not.toBe(serial);
    expect(requests.length).toBeGreaterThan(1);
  });

  it("forgets a workload that the node may no longer run, with its key", async () => {
    const { kept, of } = keeper(issueAll());
    kept.serve([entry("web")]);
    await until("the certificate", () => of(WEB)?.svid !== undefined);
    const { identity } = of(WEB) ?? {};
    kept.serve([]);
    expect(identity?.state.kind).toBe("none");
    expect(readdirSync(join(folder, "svids"))).toEqual([]);
  });

  it("asks anew for a certificate that the new anchors do not vouch for", async () => {
    const { kept, of, trust } = keeper(issueAll());
    kept.serve([entry("web")]);
    await until("the certificate", () => of(WEB)?.svid !== undefined);
    const other = testHierarchy("shop.example");
    trust.take({ trustDomain: "shop.example", bundles: { "shop.example": formatTrustBundle(other.root.bundle()) } });
    kept.reconsider();
    expect(of(WEB)?.identity.state.kind).toBe("none");
    await until("a refusal of the old authority's certificate", () => of(WEB)?.problem !== undefined);
  });

  it("keeps a certificate that is still good while renewals fail", async () => {
    let broken = false;
    const { kept, of } = keeper((request) => {
      if (broken) throw new AgentError("ERR_AGENT_AUTHORITY_UNREACHABLE", "no answer");
      return issueAll(3_000)(request);
    });
    kept.serve([entry("web")]);
    await until("the certificate", () => of(WEB)?.svid !== undefined);
    broken = true;
    await until("a failed renewal", () => of(WEB)?.problem === "no answer");
    expect(of(WEB)?.identity.state.kind).toBe("present");
    await until("its end", () => of(WEB)?.identity.state.kind === "none");
    expect(readFileSync(join(folder, "svids", "shop.web.json"), "utf8")).toContain(of(WEB)?.svid?.serial ?? "?");
  });
});
