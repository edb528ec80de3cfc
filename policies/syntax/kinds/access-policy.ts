import type { RequestLine } from "../../model/index.ts";
import { host } from "../addresses.ts";
import { headerName } from "../headers.ts";
import { calendarDate, notAfter, notBefore } from "../instants.ts";
import { matcher } from "../matchers.ts";
import {
  choice,
  FAILED,
  fail,
  flag,
  integer,
  type Located,
  list,
  mapOf,
  mapped,
  type ObjectOf,
  object,
  optional,
  type Reader,
  required,
  text,
} from "../readers.ts";
import { requestLine } from "../request-line.ts";
import { tornRequests } from "../torn-requests.ts";
import { labelKeyItem, name, nonEmptyText, shaped, workloadReference } from "../values.ts";
import { callers, labelSelector, namespaceOrAll } from "./selectors.ts";

const lines = list(requestLine, "start each request on a line of its own with `- `");

/** A list of request lines, no two with one text. An inline list that YAML cut at a comma gets a finding of its own. */
const requests: Reader<Located<readonly RequestLine[]>> = {
  schema: lines.schema,
  expects: lines.expects,
  read(node, reading) {
    const inner = { found: [], partial: false };
    const read = lines.read(node, inner);
    if (read === FAILED && node.kind === "list" && node.flow && node.items.length > 0) {
      for (const one of node.items.some(looksTorn) ? [tornRequests(node.span)] : inner.found) reading.found.push(one);
      return FAILED;
    }
    for (const one of inner.found) reading.found.push(one);
    if (read === FAILED) return FAILED;
    const seen = new Map<string, RequestLine>();
    const before = reading.found.length;
    for (const line of read.value) {
      const first = seen.get(line.text);
      if (first === undefined) seen.set(line.text, line);
      else
        fail(
          reading,
          "ERR_POLICY_CONFLICT",
          line.span,
          `\`${line.text}\` is in this list a second time`,
          `the first is on line ${first.span.line}; remove one`,
        );
    }
    return reading.found.length > before ? FAILED : read;
  },
};

function looksTorn(node: { readonly kind: string; readonly text?: string; readonly style?: string }): boolean {
  if (node.kind === "map") return true;
  return node.kind === "scalar" && node.style === "plain" && !/^[A-Za-z|*]+ \S+$/.test(node.text ?? "");
}

const jwtShape = {
  provider: required(name, "a key of `jwtProviders` in the Mesh"),
  scopes: optional(list(nonBlank("a scope")), "words that the token's `scope` or `scp` must hold, all of them"),
  claims: optional(
    mapOf(text({ expects: "a claim's name", schema: { minLength: 1 } }), matcher("claim")),
    "claims and their tests; dotted names reach into nested claims",
  ),
};

function nonBlank(expects: string): Reader<Located<string>> {
  return mapped(
    shaped(expects, /^[\x21\x23-\x5b\x5d-\x7e]+$/, "visible ASCII without blanks, quotes and backslashes"),
    (node) => ({
      value: node.text,
      span: node.span,
    }),
  );
}

const ruleShape = {
  name: required(name, "the rule's name, unique in the policy"),
  from: optional(callers, "who; entries OR"),
  requests: optional(requests, "what; one request a line, entries OR"),
  hosts: optional(list(host), "host names of the request"),
  ports: optional(list(integer(1, 65535, "a port")), "listener ports"),
  headers: optional(mapOf(headerName, matcher("header")), "headers and their tests"),
  query: optional(
    mapOf(text({ expects: "a query parameter's name", schema: { minLength: 1 } }), matcher("query")),
    "query parameters and their tests",
  ),
  jwt: optional(object(jwtShape, { expects: "a condition on a token" }), "a verified token"),
  notBefore: optional(notBefore, "an instant in UTC; a bare date means its start"),
  notAfter: optional(notAfter, "an instant in UTC; a bare date means its end"),
  except: optional(
    object(
      {
        from: optional(callers, "callers the rule is not about"),
        requests: optional(requests, "requests the rule is not about"),
      },
      { expects: "what is carved out of the rule", atLeastOne: ["from", "requests"] },
    ),
    "carves out of this rule only",
  ),
  reason: optional(nonEmptyText, "why the rule is there"),
  review: optional(calendarDate, "when somebody looks at it again"),
};

const allowShape = {
  ...ruleShape,
  from: required(callers, "who may call; entries OR"),
  requests: required(requests, "what they may do; one request a line, entries OR"),
  across: optional(list(labelKeyItem), "isolation labels that this rule crosses"),
};

const denyShape = { ...ruleShape, always: optional(flag(), "holds in monitor mode too") };

/** A rule of `allow` as written. */
export type AllowSyntax = ObjectOf<typeof allowShape>;

/** A rule of `deny` as written. */
export type DenySyntax = ObjectOf<typeof denyShape>;

function checkTimes<R extends AllowSyntax | DenySyntax>(reader: Reader<R>): Reader<R> {
  return mapped(reader, (rule, reading) => {
    if (rule.notBefore === undefined || rule.notAfter === undefined || rule.notBefore.value <= rule.notAfter.value)
      return rule;
    return fail(
      reading,
      "ERR_POLICY_CONFLICT",
      rule.notAfter.span,
      "the rule ends before it begins",
      `it begins at ${rule.notBefore.value.toISOString()}`,
    );
  });
}

const allowRule = checkTimes(object(allowShape, { expects: "a rule" }));
const denyRule = checkTimes(object(denyShape, { expects: "a rule" }));

const protectsShape = {
  workload: optional(workloadReference, "a workload of the policy's own namespace"),
  labels: optional(labelSelector, "workloads by their labels"),
  namespaces: optional(
    {
      schema: { anyOf: [{ const: "*" }, list(namespaceOrAll).schema] },
      expects: 'a list of namespaces or "*"',
      read: (node, reading) =>
        node.kind === "scalar" && node.text === "*"
          ? { value: [{ value: "*", span: node.span }], span: node.span }
          : list(
              mapped(namespaceOrAll, (one, inner) =>
                one.value === "*"
                  ? fail(inner, "ERR_POLICY_VALUE", one.span, "`*` stands alone", 'write `namespaces: "*"`')
                  : one,
              ),
            ).read(node, reading),
    } satisfies Reader<Located<readonly Located<string>[]>>,
    'only in namespace `mesh`: the namespaces it protects, or `"*"`',
  ),
};

const policyShape = {
  protects: optional(
    object(protectsShape, { expects: "what is protected, such as `workload: orders`" }),
    "what the policy protects",
  ),
  owner: optional(nonEmptyText, "who answers for the policy"),
  stage: optional(choice("live", "candidate"), "`live` (default) or `candidate`"),
  action: optional(choice("replace", "withdraw"), "of a candidate: `replace` (default) or `withdraw`"),
  allow: optional(list(allowRule), "who may do what"),
  deny: optional(list(denyRule), "what nobody may do, whatever allows it"),
};

/** An AccessPolicy's `spec` as written. */
export type AccessPolicySyntax = ObjectOf<typeof policyShape>;

/** Reads an AccessPolicy's `spec`. */
export const accessPolicySpec: Reader<AccessPolicySyntax> = mapped(
  object(policyShape, { expects: "the policy" }),
  (spec, reading) => {
    const before = reading.found.length;
    const candidate = spec.stage?.value === "candidate";
    if (spec.action !== undefined && !candidate)
      fail(
        reading,
        "ERR_POLICY_CONFLICT",
        spec.action.span,
        "`action` is for candidates only",
        "add `stage: candidate`, or remove `action`",
      );
    if (candidate && spec.action?.value === "withdraw") {
      for (const key of ["protects", "allow", "deny"]) {
        const at = spec.keys.get(key);
        if (at !== undefined)
          fail(
            reading,
            "ERR_POLICY_CONFLICT",
            at,
            `a candidate that withdraws has no \`${key}\``,
            "remove it: the live policy of this name is withdrawn",
          );
      }
    } else checkComplete(spec, reading);
    checkProtects(spec, reading);
    return reading.found.length > before ? FAILED : spec;
  },
);

function checkComplete(spec: AccessPolicySyntax, reading: Parameters<typeof fail>[0]): void {
  const at = spec.keys.values().next().value ?? spec.span;
  if (spec.protects === undefined)
    fail(reading, "ERR_POLICY_MISSING_KEY", at, "the key `protects` is missing", "what the policy protects");
  if (spec.allow === undefined && spec.deny === undefined)
    fail(reading, "ERR_POLICY_MISSING_KEY", at, "something is missing here", "at least one of `allow`, `deny`");
}

function checkProtects({ protects }: AccessPolicySyntax, reading: Parameters<typeof fail>[0]): void {
  if (protects?.workload === undefined) return;
  if (protects.labels !== undefined)
    fail(
      reading,
      "ERR_POLICY_CONFLICT",
      protects.labels.span,
      "`workload` and `labels` exclude each other",
      "exactly one of them",
    );
  if (protects.namespaces !== undefined)
    fail(
      reading,
      "ERR_POLICY_CONFLICT",
      protects.namespaces.span,
      "`workload` and `namespaces` exclude each other",
      "select by `labels`",
    );
}
