import { describe, expect, it } from "vitest";
import { agentNodeOf, isSystemId, parseSpiffeId, parseTrustDomain, type SystemRole, systemId } from "./index.ts";

const domain = parseTrustDomain("shop.example");

describe("system identities (ID-7)", () => {
  it("lie under /cellwall of their trust domain", () => {
    expect(systemId(domain, "policy-signer").toString()).toBe("spiffe://shop.example/cellwall/policy-signer");
    expect(systemId(domain, "authority").toString()).toBe("spiffe://shop.example/cellwall/authority");
    expect(systemId(domain, "agent/node-1").toString()).toBe("spiffe://shop.example/cellwall/agent/node-1");
  });

  it.each(["agent/a/b", "agent/a/../policy-signer", "agent/x/"])("refuse role %j, which would be another's", (role) => {
    expect(() => systemId(domain, role as SystemRole)).toThrow(
      expect.objectContaining({ code: "ERR_SPIFFE_SYSTEM_ROLE" }),
    );
  });

  it.each([
    ["agent/", "ERR_SPIFFE_EMPTY_SEGMENT"],
    ["agent/..", "ERR_SPIFFE_DOT_SEGMENT"],
    ["agent/a b", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["agent", "ERR_SPIFFE_SYSTEM_ROLE"],
    ["root", "ERR_SPIFFE_SYSTEM_ROLE"],
    ["policy-signer/x", "ERR_SPIFFE_SYSTEM_ROLE"],
    ["", "ERR_SPIFFE_SYSTEM_ROLE"],
  ])("refuse role %j with %s", (role, code) => {
    expect(() => systemId(domain, role as SystemRole)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ["/cellwall", true],
    ["/cellwall/authority", true],
    ["/cellwall/agent/n", true],
    ["/cellwall/anything/else", true],
    ["/cellwall2", false],
    ["/Cellwall/authority", false],
    ["/a/cellwall/authority", false],
    ["", false],
  ])("are told by path %j: %s, in every trust domain", (path, expected) => {
    expect(isSystemId(parseSpiffeId(`spiffe://shop.example${path}`))).toBe(expected);
    expect(isSystemId(parseSpiffeId(`spiffe://other.example${path}`))).toBe(expected);
  });

  it.each([
    ["/cellwall/agent/node-1", "node-1"],
    ["/cellwall/agent", undefined],
    ["/cellwall/agent/a/b", undefined],
    ["/cellwall/authority", undefined],
    ["/x/agent/node-1", undefined],
  ])("of agents name their node: %j is %s", (path, node) => {
    expect(agentNodeOf(parseSpiffeId(`spiffe://shop.example${path}`))).toBe(node);
  });
});
