import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { InteropError, importPolicies } from "../../policies/interop/index.ts";
import { rows } from "./rows.ts";

interface PolicyRow {
  readonly id: string;
  readonly input: { readonly policy: unknown };
  readonly expected: "valid" | "invalid";
}

interface TemplateRow {
  readonly id: string;
  readonly input: { readonly template: string };
  readonly expected: "valid" | "invalid";
}

const policies = rows<PolicyRow>("istio-validation/policies.jsonl").map(
  ({ id, input, expected }) => [id, input.policy, expected] as const,
);

const templates = rows<TemplateRow>("templates/istio-validity.jsonl").map(({ id, input, expected }) => {
  const policy = {
    kind: "AuthorizationPolicy",
    metadata: { name: "p", namespace: "foo" },
    spec: { rules: [{ to: [{ operation: { paths: [input.template] } }] }] },
  };
  return [id, policy, expected] as const;
});

function judge(policy: unknown): "valid" | "invalid" {
  try {
    importPolicies("istio", [{ path: "p.yaml", text: stringify(policy) }]);
    return "valid";
  } catch (error) {
    if (error instanceof InteropError && error.code === "ERR_POLICY_INTEROP_INVALID") return "invalid";
    throw error;
  }
}

describe("what Istio's own validation refuses", () => {
  it.each([...policies, ...templates])("%s", (_id, policy, expected) => {
    expect(judge(policy)).toBe(expected);
  });
});
