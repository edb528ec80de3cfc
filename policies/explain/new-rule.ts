import type { AccessPolicy, PolicySet, RequestLine, Rule, Span } from "../model/index.ts";
import type { Situation } from "../reference/situation.ts";
import { apartLabels } from "../reference/situation.ts";
import { entryOf } from "./caller-change.ts";
import type { Edit } from "./edit.ts";

/** A set with a rule more, which allows one caller one line and nothing else. */
export interface NewRule {
  readonly edit: Edit;
  readonly set: PolicySet;
  readonly rule: Rule;
  readonly owner: AccessPolicy;
}

/** Adds a rule of its own to a policy of the destination, or a policy where there is none. */
export function newRule(
  set: PolicySet,
  situation: Situation,
  line: RequestLine,
  policies: readonly AccessPolicy[],
): NewRule | undefined {
  const { caller, destination } = situation;
  if (caller === undefined || destination === undefined) return undefined;
  const near = policies.find((policy) => policy.destinations.length === 1) ?? policies[0];
  const span = near?.allow.at(-1)?.span ?? near?.span ?? destination.span;
  const owner = near ?? emptyPolicy(destination.namespace, destination.name, destination.identity.toString(), span);
  const { selector, yaml } = entryOf(caller, owner.namespace, span);
  const rule: Rule = {
    effect: "allow",
    name: nameFor(owner, yaml, line),
    from: [selector],
    requests: [line],
    headers: new Map(),
    query: new Map(),
    across: apartLabels(situation),
    always: false,
    span,
  };
  const changed: AccessPolicy = { ...owner, allow: [...owner.allow, rule] };
  const policiesNow =
    near === undefined ? [...set.policies, changed] : set.policies.map((each) => (each === near ? changed : each));
  const text = ruleYaml(rule, yaml, line);
  const edit: Edit =
    near === undefined
      ? { message: "add a policy", action: "create", yaml: policyYaml(owner, text) }
      : { message: "add a rule to `allow`", span, action: "insert", yaml: text };
  return { edit, set: { ...set, policies: policiesNow }, rule, owner: changed };
}

function ruleYaml({ name, across }: Rule, from: string, line: RequestLine): string {
  const crossing = across.length === 0 ? "" : `\n  across: [${across.join(", ")}]`;
  return `- name: ${name}\n  from:\n    - ${from}\n  requests:\n    - ${line.text}${crossing}`;
}

function policyYaml({ name, namespace }: AccessPolicy, rule: string): string {
  const indented = rule.replace(/^/gm, "    ");
  return `apiVersion: cellwall.dev/v1\nkind: AccessPolicy\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec:\n  protects: { workload: ${name} }\n  allow:\n${indented}`;
}

function emptyPolicy(namespace: string, name: string, identity: string, span: Span): AccessPolicy {
  return {
    namespace,
    name,
    stage: "live",
    action: "replace",
    protects: { workload: { namespace, name }, namespaces: [namespace] },
    destinations: [identity],
    allow: [],
    deny: [],
    span,
  };
}

const MAX_NAME = 50;

/** `web-get-invoices`, with a number behind it where the policy has such a rule. */
function nameFor(owner: AccessPolicy, from: string, line: RequestLine): string {
  const words = `${from.replace(/^\w+: (?:spiffe:\/\/)?/, "")} ${line.text.replace(/\{[^}]*\}/g, "")}`;
  const name = words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_NAME)
    .replace(/^-+|-+$/g, "");
  const taken = new Set([...owner.allow, ...owner.deny].map((rule) => rule.name));
  for (let count = 2; taken.has(name); count++) if (!taken.has(`${name}-${count}`)) return `${name}-${count}`;
  return name;
}
