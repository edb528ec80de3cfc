import { describe, expect, it } from "vitest";
import type { RevocationsDocument } from "../../protocol/index.ts";
import { normalizeSerial } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { AuthorityError } from "../authority-error.ts";
import { presentedChain, verifyAgent } from "./agent-identity.ts";

const AGENT = "spiffe://shop.example/cellwall/agent/host-1";
const ca = createTestCa({ trustDomain: "shop.example" });
const agent = ca.intermediate().issue({ uris: [AGENT] });
const serial = normalizeSerial(agent.certificate.serialNumber);
const at = new Date();
const notAfter = at.toISOString();

function revocations(fields: Partial<RevocationsDocument> = {}): RevocationsDocument {
  const none = { sequence: 1, issuedAt: notAfter, serials: [], identities: [], nodes: [] };
  return { format: "cellwall.revocations/1", trustDomain: "shop.example", ...none, ...fields };
}

function outcome(chain: Parameters<typeof verifyAgent>[0], document = revocations()): string {
  try {
    return verifyAgent(chain, { bundle: ca.bundle(), revocations: document, at }).node;
  } catch (error) {
    return error instanceof AuthorityError ? error.code : String(error);
  }
}

describe("verifyAgent", () => {
  it("knows the node of a live agent", () => {
    expect(verifyAgent(agent.chain, { bundle: ca.bundle(), revocations: revocations(), at })).toMatchObject({
      kind: "agent",
      node: "host-1",
      serial,
    });
  });

  it.each([
    ["its serial", { serials: [{ serial, notAfter }] }],
    ["its identity", { identities: [{ identity: AGENT, revokedAt: notAfter, reason: "" }] }],
    ["its node", { nodes: [{ node: "host-1", revokedAt: notAfter, reason: "" }] }],
  ])("refuses it when %s is revoked", (_what, fields) => {
    expect(outcome(agent.chain, revocations(fields))).toBe("ERR_AUTHORITY_REVOKED");
  });

  it("is not touched by another one's revocation", () => {
    const others = revocations({
      serials: [{ serial: `${serial}0`, notAfter }],
      identities: [{ identity: `${AGENT}0`, revokedAt: notAfter, reason: "" }],
      nodes: [{ node: "host-10", revokedAt: notAfter, reason: "" }],
    });
    expect(outcome(agent.chain, others)).toBe("host-1");
  });

  it.each([
    "spiffe://shop.example/shop/web",
    "spiffe://shop.example/cellwall/authority",
    "spiffe://shop.example/cellwall/policy-signer",
    "spiffe://shop.example/cellwall/agent",
    "spiffe://shop.example/cellwall/agent/host-1/more",
    "spiffe://shop.example/shop/agent/host-1",
    "spiffe://other.example/cellwall/agent/host-1",
  ])("takes %s for no agent", (uri) => {
    expect(outcome(ca.issue({ uris: [uri] }).chain)).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
  });

  it("refuses no chain, a leaf without its intermediate, and one with two identities", () => {
    expect(outcome([])).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
    expect(outcome(agent.chain.slice(0, 1))).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
    const two = ca.issue({ uris: [AGENT, "spiffe://shop.example/shop/web"] });
    expect(outcome(two.chain)).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
  });

  it("notices on a connection that it has judged before: another trust bundle, the certificate's end, a revocation", () => {
    const end = Math.ceil(at.getTime() / 1_000) * 1_000 + 2_000;
    const short = ca.intermediate().issue({ uris: [AGENT], notAfter: new Date(end) });
    const bundle = ca.bundle();
    const judged = (fields: Partial<Parameters<typeof verifyAgent>[1]> = {}): string => {
      try {
        return verifyAgent(short.chain, { bundle, revocations: revocations(), at: new Date(end - 400), ...fields })
          .node;
      } catch (error) {
        return error instanceof AuthorityError ? error.code : String(error);
      }
    };
    expect(judged()).toBe("host-1");
    const node = { node: "host-1", revokedAt: notAfter, reason: "" };
    expect(judged({ revocations: revocations({ nodes: [node] }) })).toBe("ERR_AUTHORITY_REVOKED");
    expect(judged({ at: new Date(end + 400) })).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
    expect(judged()).toBe("host-1");
    const other = createTestCa({ trustDomain: "shop.example" }).bundle();
    expect(judged({ bundle: other })).toBe("ERR_AUTHORITY_UNAUTHENTICATED");
  });

  it("finds no certificates on a connection without TLS", () => {
    expect(presentedChain({})).toEqual([]);
  });
});
