import type { AccessPolicy, PolicySet, Rule, Workload } from "../../model/index.ts";
import { Notes } from "../draft/notes.ts";
import type { Exporter } from "../exporter.ts";
import { InteropError } from "../interop-error.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { DOT_SEGMENT, needsEscape, PLAIN_PATH } from "./path-regex.ts";
import {
  ANY,
  every,
  hostsPermission,
  linePermission,
  not,
  type Permission,
  path,
  portsPermission,
  some,
} from "./permissions.ts";
import { ANYBODY, oneOf, type Principal, principalOf, systemCallers } from "./principals.ts";

/** One policy of a filter. */
interface RbacPolicy {
  readonly permissions: readonly Permission[];
  readonly principals: readonly Principal[];
}

const TYPE = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/**
 * Envoy's own RBAC filters, as JSON: by `namespace/name` of a workload, the two HTTP filters that go into its chain, denies
 * first. Registered callers are written out by identity, so that the filters are of the registry at the time of the export.
 */
export const exportEnvoyRbac: Exporter = (set, { workload: wanted }) => {
  const notes = new Notes();
  const workloads = set.workloads.filter(
    ({ namespace, name }) => wanted === undefined || `${namespace}/${name}` === wanted,
  );
  if (workloads.length === 0)
    throw new InteropError("ERR_POLICY_INTEROP_INVALID", `the set has no workload \`${wanted ?? ""}\``);
  const filters = workloads.map((workload) => [
    `${workload.namespace}/${workload.name}`,
    filtersOf(workload, set, notes),
  ]);
  return { text: `${JSON.stringify(Object.fromEntries(filters), undefined, 2)}\n`, report: reportOf(notes.entries) };
};

function filtersOf(workload: Workload, set: PolicySet, notes: Notes): readonly unknown[] {
  const identity = workload.identity.toString();
  const policies = set.policies.filter(
    ({ stage, destinations }) => stage === "live" && destinations.includes(identity),
  );
  const of = (effect: Rule["effect"]): readonly (readonly [string, RbacPolicy])[] =>
    policies.flatMap((policy) => policy[effect].flatMap((rule) => exportRule(rule, policy, workload, set, notes)));
  if (workload.mode === "monitor")
    notes.add(
      workload.span,
      `Workload ${workload.namespace}/${workload.name}`,
      "narrower",
      "the filters enforce what the workload only monitors",
    );
  const floor: readonly (readonly [string, RbacPolicy])[] = [
    ["floor/path", { permissions: [not(path(PLAIN_PATH)), path(DOT_SEGMENT)], principals: [ANYBODY] }],
    ["floor/system-identity", { permissions: [ANY], principals: [systemCallers(set)] }],
  ];
  return [filter("DENY", [...floor, ...of("deny")]), filter("ALLOW", of("allow"))];
}

function filter(action: "DENY" | "ALLOW", policies: readonly (readonly [string, RbacPolicy])[]): unknown {
  return {
    name: `envoy.filters.http.rbac.${action.toLowerCase()}`,
    typed_config: { "@type": TYPE, rules: { action, policies: Object.fromEntries(policies) } },
  };
}

/** What keeps an allow from being exported, and widens a deny: conditions that the filter judges otherwise, or not at all. */
function beyond({ headers, query, jwt, notBefore, notAfter }: Rule): readonly string[] {
  return [
    ...(headers.size > 0 ? ["`headers`: the filter takes any value of a repeated header"] : []),
    ...(query.size > 0 ? ["`query`: the filter does not read it"] : []),
    ...(jwt === undefined ? [] : ["`jwt`: the filter knows no provider"]),
    ...(notBefore === undefined && notAfter === undefined ? [] : ["time limits: the filter has no clock"]),
  ];
}

function exportRule(
  rule: Rule,
  policy: AccessPolicy,
  workload: Workload,
  set: PolicySet,
  notes: Notes,
): readonly (readonly [string, RbacPolicy])[] {
  const id = `${policy.namespace}/${policy.name}/${rule.name}`;
  const place: SourcePlace = { file: rule.span.file, line: rule.span.line, column: rule.span.column, path: id };
  const lost = beyond(rule);
  for (const reason of lost)
    notes.add(
      place,
      id,
      rule.effect === "allow" ? "unsupported" : "narrower",
      `${reason}; ${rule.effect === "allow" ? "the rule is left out" : "the deny holds without it"}`,
    );
  const lines = rule.requests?.map((line) => linePermission(line, rule.effect));
  if (lines?.includes(undefined) === true || rule.requests === undefined)
    notes.add(place, id, "unsupported", "connections are not of an HTTP filter", { scope: "connection" });
  if (rule.requests?.some((line) => "path" in line && needsEscape(line.path)) === true)
    notes.add(place, id, "narrower", "the filters refuse paths with escapes", { scope: "escaped-path" });
  if (rule.effect === "allow" && (lost.length > 0 || workload.paths.caseInsensitive)) {
    if (lost.length === 0) notes.add(place, id, "unsupported", "the filters do not fold case");
    return [];
  }
  const what = lines?.filter((one) => one !== undefined);
  if (what?.length === 0) return [];
  if (lost.length === 0) notes.add(place, id, "exact", "every request gets the rule's verdict");
  return carved(rule, workload, set, what === undefined ? ANY : some(what)).map((one, index) => [
    index === 0 ? id : `${id}#${index}`,
    one,
  ]);
}

/** The rule with its exception taken out: without those callers, and without those requests; both together by two policies. */
function carved(rule: Rule, workload: Workload, set: PolicySet, what: Permission): readonly RbacPolicy[] {
  const { effect, from, hosts, ports, except } = rule;
  const permission = every([
    what,
    ...(hosts === undefined ? [] : [hostsPermission(hosts)]),
    ...(ports === undefined ? [] : [portsPermission(ports)]),
    ANY,
  ]);
  const who =
    from === undefined ? ANYBODY : principalOf(from, workload, set, effect === "allow" ? rule.across : undefined);
  if (except === undefined) return [{ permissions: [permission], principals: [who] }];
  // An exception reads its requests as the other effect does.
  const other = effect === "allow" ? "deny" : "allow";
  const lines = (except.requests ?? []).map((line) => linePermission(line, other)).filter((one) => one !== undefined);
  const others: Principal = except.from === undefined ? ANYBODY : principalOf(except.from, workload, set, undefined);
  const spared: RbacPolicy = {
    permissions: [permission],
    principals: [{ and_ids: { ids: [who, { not_id: others }] } }],
  };
  const narrowed: RbacPolicy = {
    permissions: lines.length === 0 ? [permission] : [every([permission, not(some(lines))])],
    principals: [who],
  };
  if (except.requests === undefined) return [spared];
  if (lines.length === 0) return [{ permissions: [permission], principals: [oneOf([who])] }];
  return except.from === undefined ? [narrowed] : [spared, narrowed];
}
