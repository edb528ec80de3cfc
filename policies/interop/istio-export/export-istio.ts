import { stringify } from "yaml";
import type { AccessPolicy, PolicySet, RequestLine, Rule, Workload } from "../../model/index.ts";
import { Notes } from "../draft/notes.ts";
import { isRegistered, ownLabels, registeredCallers } from "../export/select.ts";
import type { Exporter } from "../exporter.ts";
import { deniedBeyond } from "../paths/compare.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { isIstioPath, istioPaths } from "./istio-path.ts";

/**
 * Istio AuthorizationPolicies, one a rule and protected workload, selected by its labels. Each namespace gets a policy that
 * allows nothing, so that default deny stays. Callers are written out by identity.
 */
export const exportIstio: Exporter = (set, { workload: wanted }) => {
  const notes = new Notes();
  const workloads = set.workloads.filter(
    ({ namespace, name }) => wanted === undefined || wanted === `${namespace}/${name}`,
  );
  const closed = [...new Set(workloads.map(({ namespace }) => namespace))].map((namespace) =>
    document("default-deny", namespace, {}),
  );
  const policies = workloads.flatMap((workload) => policiesOf(workload, set, notes));
  const text = [...closed, ...policies]
    .map((one) => stringify(one, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join("---\n");
  return { text, report: reportOf(notes.entries) };
};

function document(name: string, namespace: string, spec: unknown): unknown {
  return { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name, namespace }, spec };
}

function policiesOf(workload: Workload, set: PolicySet, notes: Notes): readonly unknown[] {
  const identity = workload.identity.toString();
  const protecting = set.policies.filter(
    ({ stage, destinations }) => stage === "live" && destinations.includes(identity),
  );
  const matchLabels = ownLabels(workload, set);
  if (matchLabels === undefined && protecting.length > 0) {
    notes.add(
      workload.span,
      `Workload ${workload.namespace}/${workload.name}`,
      "unsupported",
      "its labels do not tell it from other workloads; nothing is allowed to it",
    );
    return [];
  }
  return protecting.flatMap((policy) =>
    [...policy.deny, ...policy.allow].flatMap((rule) => {
      const rules = rulesOf(rule, policy, workload, set, notes);
      if (rules.length === 0) return [];
      const name = `${policy.namespace}-${policy.name}-${rule.name}-${workload.name}`.slice(0, 253);
      return [
        document(name, workload.namespace, {
          selector: { matchLabels },
          action: rule.effect === "allow" ? "ALLOW" : "DENY",
          rules,
        }),
      ];
    }),
  );
}

/** What no AuthorizationPolicy says as the rule does. */
function lost(rule: Rule, { isolate }: PolicySet["mesh"]): readonly string[] {
  const { headers, query, jwt, notBefore, notAfter, except } = rule;
  return [
    ...(headers.size > 0 ? ["`headers`: repeated values are compared as one text"] : []),
    ...(query.size > 0 ? ["`query`: it is not looked at"] : []),
    ...(jwt === undefined ? [] : ["`jwt`: tokens are verified by another document"]),
    ...(notBefore === undefined && notAfter === undefined ? [] : ["time limits: there is no clock"]),
    ...(except?.requests === undefined
      ? []
      : ["`except.requests`: exclusions are of paths or methods, not of both together"]),
    ...(rule.effect === "allow" && isolate.length > 0 && rule.from?.some((one) => one.spiffe?.descendants === true)
      ? ["`isolate`: callers below an identity are not told apart"]
      : []),
  ];
}

function rulesOf(
  rule: Rule,
  policy: AccessPolicy,
  workload: Workload,
  set: PolicySet,
  notes: Notes,
): readonly unknown[] {
  const id = `${policy.namespace}/${policy.name}/${rule.name}`;
  const place: SourcePlace = { file: rule.span.file, line: rule.span.line, column: rule.span.column, path: id };
  const allow = rule.effect === "allow";
  const reasons = lost(rule, set.mesh);
  for (const reason of reasons)
    notes.add(
      place,
      id,
      allow ? "unsupported" : "narrower",
      `${reason}; ${allow ? "the rule is left out" : "the deny holds without it"}`,
    );
  if (allow && reasons.length > 0) return [];
  const from = rule.from?.filter((one) => isRegistered(one, set));
  if ((from?.length ?? 0) < (rule.from?.length ?? 0))
    notes.add(
      place,
      id,
      allow ? "unsupported" : "narrower",
      "callers that are not registered, or told by address, are not written" +
        (allow ? "" : "; the deny holds for everyone"),
    );
  const everyone = rule.from === undefined || (!allow && from?.length !== rule.from.length);
  const principals = everyone
    ? undefined
    : principalsOf(registeredCallers(from ?? [], workload, set, allow ? rule.across : undefined));
  if (principals?.length === 0) return [];
  const spared = rule.except?.from?.filter((one) => isRegistered(one, set));
  if (allow && (spared?.length ?? 0) < (rule.except?.from?.length ?? 0)) {
    notes.add(place, id, "unsupported", "an exception for callers that are not registered; the rule is left out");
    return [];
  }
  const notPrincipals =
    spared === undefined || rule.except?.requests !== undefined
      ? undefined
      : principalsOf(registeredCallers(spared, workload, set, undefined));
  const source = {
    ...(principals === undefined ? {} : { principals }),
    ...(notPrincipals === undefined || notPrincipals.length === 0 ? {} : { notPrincipals }),
  };
  const operations =
    rule.requests === undefined ? [{}] : rule.requests.flatMap((line) => operationsOf(line, rule, place, id, notes));
  if (operations.length === 0) return [];
  if (!notes.entries.some((one) => one.construct === id && one.scope === undefined))
    notes.add(place, id, "exact", "every canonical request gets the rule's verdict");
  const hosts = rule.hosts?.flatMap((host) => [host, `${host}:*`]);
  const limits = {
    ...(hosts === undefined ? {} : { hosts }),
    ...(rule.ports === undefined ? {} : { ports: rule.ports.map(String) }),
  };
  return operations.map(({ when, ...operation }: Operation) => ({
    ...(Object.keys(source).length === 0 ? {} : { from: [{ source }] }),
    ...(Object.keys({ ...operation, ...limits }).length === 0
      ? {}
      : { to: [{ operation: { ...operation, ...limits } }] }),
    ...(when === undefined ? {} : { when }),
  }));
}

function principalsOf(workloads: readonly Workload[]): readonly string[] {
  return workloads.map(({ identity }) => identity.toString().replace(/^spiffe:\/\//, ""));
}

interface Operation {
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly when?: readonly unknown[];
}

const NO_UPGRADE = { key: "request.headers[upgrade]", notValues: ["*"] };
const NO_GRPC = { key: "request.headers[content-type]", notValues: ["application/grpc*"] };
const GRPC = {
  key: "request.headers[content-type]",
  values: ["application/grpc", "application/grpc+*", "application/grpc;*"],
};

function operationsOf(
  line: RequestLine,
  { effect }: Rule,
  place: SourcePlace,
  id: string,
  notes: Notes,
): readonly Operation[] {
  const allow = effect === "allow";
  if (line.kind === "tcp") {
    notes.add(place, id, "unsupported", `\`${line.text}\`: connections are left out`, { scope: "connection" });
    return [];
  }
  if (line.kind === "grpc") {
    const paths = [line.method === "*" ? `/${line.service}/{*}` : `/${line.service}/${line.method}`];
    return [allow ? { methods: ["POST"], paths, when: [GRPC, NO_UPGRADE] } : { paths }];
  }
  if (!isIstioPath(line.path)) {
    notes.add(
      place,
      id,
      allow ? "unsupported" : "narrower",
      `\`${line.text}\`: a path has whole segments as parameters, of no type`,
    );
    if (allow) return [];
  }
  const spellings = allow ? [line.path.text] : [line.path.text, ...deniedBeyond(line.path.text)];
  const paths = [...new Set(spellings.flatMap(istioPaths))];
  if (line.kind === "websocket") {
    const upgrade = { key: "request.headers[upgrade]", values: [allow ? "websocket" : "*"] };
    return [{ ...(allow ? { methods: ["GET"] } : {}), paths, when: [upgrade] }];
  }
  const methods = line.methods === "ANY" ? undefined : line.methods;
  const denied = methods?.includes("GET") === true && !methods.includes("HEAD") ? [...methods, "HEAD"] : methods;
  if (!allow) return [{ ...(denied === undefined ? {} : { methods: denied }), paths }];
  const post = methods === undefined || methods.includes("POST");
  const rest = methods?.filter((one) => one !== "POST");
  if (methods === undefined) return [{ paths, when: [NO_UPGRADE, NO_GRPC] }];
  return [
    ...(rest === undefined || rest.length === 0 ? [] : [{ methods: rest, paths, when: [NO_UPGRADE] }]),
    ...(post ? [{ methods: ["POST"], paths, when: [NO_UPGRADE, NO_GRPC] }] : []),
  ];
}
