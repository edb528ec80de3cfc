import { describe, expect, it } from "vitest";
import type { AuthorityStatus } from "../../protocol/index.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { attentionOf, isBehind } from "./attention.ts";
import { isolationOf } from "./isolation.ts";
import { statusLines } from "./status-lines.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const EARLIER = "2026-01-01T11:59:30.000Z";
const LATER = "2026-01-01T13:00:00.000Z";

type NodeStatus = AuthorityStatus["nodes"][number];

function statusWith(fields: Partial<AuthorityStatus> = {}): AuthorityStatus {
  return {
    trustDomain: "shop.example",
    version: "1.0.0",
    startedAt: EARLIER,
    bundle: {
      epoch: 2,
      revision: 7,
      issuedAt: EARLIER,
      expiresAt: LATER,
      publisher: "ci",
      destinations: 3,
      policies: 1,
    },
    revocations: { sequence: 4, serials: 1, identities: 2 },
    nodes: [],
    authorities: [{ role: "root", serial: "1", notAfter: LATER }],
    ...fields,
  };
}

function node(fields: Partial<NodeStatus> = {}): NodeStatus {
  return { node: "host-1", enrolled: true, lastSeen: EARLIER, epoch: 2, revision: 7, revocations: 4, ...fields };
}

const text = (status: AuthorityStatus): string =>
  statusLines(status, attentionOf(status, NOW), capturedIo("/", { clock: () => NOW })).join("\n");

describe("isBehind", () => {
  it.each<[Partial<NodeStatus>, boolean]>([
    [{}, false],
    [{ revision: 6 }, true],
    [{ revision: 8 }, false],
    [{ epoch: 1, revision: 9 }, true],
    [{ epoch: 3, revision: 1 }, false],
    [{ revocations: 3 }, true],
  ])("takes %j for behind: %s", (fields, behind) => {
    expect(isBehind(node(fields), statusWith())).toBe(behind);
  });
});

describe("attentionOf", () => {
  it("is empty when all is well, and where a node only waits to enrol", () => {
    const waiting: NodeStatus = { node: "host-2", enrolled: false };
    expect(attentionOf(statusWith({ nodes: [node(), waiting] }), NOW)).toEqual([]);
  });

  it.each<[string, AuthorityStatus]>([
    ["the newest edit is refused", statusWith({ refused: refusal() })],
    ["nothing was published yet", withoutBundle()],
    ["the bundle has expired", statusWith({ bundle: { ...bundle(), expiresAt: EARLIER } })],
    [
      "node `host-1` has not called for 10 min",
      statusWith({ nodes: [node({ lastSeen: "2026-01-01T11:50:00.000Z" })] }),
    ],
    ["node `host-1` decides by an older revision", statusWith({ nodes: [node({ revision: 6 })] })],
  ])("says that %s", (sentence, status) => {
    expect(attentionOf(status, NOW)).toEqual([expect.stringContaining(sentence)]);
  });
});

describe("statusLines", () => {
  it("marks laggards", () => {
    expect(text(statusWith({ nodes: [node({ revision: 6 })] }))).toMatch(
      /host-1 +enrolled +at 2\.6, revocations 4 +seen 30 s ago +behind/,
    );
  });

  it("shows a refused edit with its place, its cause made printable", () => {
    const shown = text(statusWith({ refused: refusal("bad \u001b[31m key") }));
    expect(shown).toMatch(/refused +the edit of 30 s ago; the revision above stays in force, and 2 more errors/);
    expect(shown).toContain("a.yaml:3:4: bad ");
    expect(shown).not.toContain("\u001b");
  });

  it("shows what waits for approval, whose it is, and how it is approved", () => {
    const pending = { id: "5f0c1d2e3a4b5968", at: EARLIER, publisher: "ci", source: "orders", why: "more \u001b[31m" };
    const shown = text(statusWith({ pending: [pending, { ...pending, source: "" }] }));
    expect(shown).toContain("waits    the source `orders`, published by ci 30 s ago: more ");
    expect(shown).toContain("waits    the platform's documents, published by ci");
    expect(shown).toContain("cellwall publish --approve 5f0c1d2e3a4b5968");
    expect(shown).not.toContain("\u001b");
  });

  it("lists twenty workloads at most, and counts the rest", () => {
    const workloads = Array.from({ length: 23 }, (_, at) => workload(`w-${at}`, at));
    const shown = text(statusWith({ workloads }));
    expect(shown.match(/shop\/w-/g)).toHaveLength(40);
    expect(shown).toContain("and 3 more: --output json lists all");
  });
});

describe("isolationOf", () => {
  it.each([
    ["none", [workload("a"), workload("b")]],
    ["none", [workload("a", 1), workload("b")]],
    ["none", [workload("a", 1), workload("b", 1)]],
    ["uid", [workload("a", 1), workload("b", 2)]],
    ["none", []],
  ] as const)("is %s for %j", (isolation, workloads) => {
    expect(isolationOf(workloads)).toBe(isolation);
  });
});

function workload(name: string, uid?: number): NonNullable<AuthorityStatus["workloads"]>[number] {
  const identity = `spiffe://shop.example/shop/${name}`;
  const fields = { identity, namespace: "shop", name, mode: "enforce", policies: 1 } as const;
  return uid === undefined ? fields : { ...fields, uid };
}

function bundle(): NonNullable<AuthorityStatus["bundle"]> {
  return { epoch: 2, revision: 7, issuedAt: EARLIER, expiresAt: LATER, publisher: "ci", destinations: 3, policies: 1 };
}

function withoutBundle(): AuthorityStatus {
  const { bundle: _none, ...rest } = statusWith();
  return rest;
}

function refusal(message = "unknown key"): NonNullable<AuthorityStatus["refused"]> {
  const span = { file: "a.yaml", line: 3, column: 4, endLine: 3, endColumn: 9 };
  return { at: EARLIER, errors: 3, first: { severity: "error", code: "ERR_POLICY_UNKNOWN_KEY", span, message } };
}
