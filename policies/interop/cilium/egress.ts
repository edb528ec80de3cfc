import type { DraftPolicy, DraftRule } from "../draft/draft.ts";
import { Names } from "../draft/names.ts";
import { type KnownWorkload, nameOf, type World } from "../draft/world.ts";
import type { Fields } from "../translate/fields.ts";
import { piecesOf } from "../translate/piece.ts";
import { readHttpRule } from "./http-rule.ts";
import { portsOf } from "./ports.ts";
import { type EndpointSelector, readEndpointSelector, selectsEndpoint } from "./selector.ts";

/** A policy as far as egress goes. */
export interface EgressSpec {
  readonly fields: Fields;
  readonly home: string | undefined;
  readonly selector: EndpointSelector;
}

/** What a rule opens of a callee: ports, and the request lines if it asks for HTTP. */
interface Opening {
  readonly ports: "any" | readonly number[];
  readonly lines: "any" | readonly string[];
}

const TO_KEYS = "toEndpoints toRequires toCIDR toCIDRSet toEntities toFQDNs toServices toGroups toNodes".split(" ");
const ALL_ENTITIES = ["all", "cluster"];

/** Whether what the policy selects may reach nothing but what its egress rules name. */
export function closesEgress({ fields }: EgressSpec): boolean {
  const said = fields.map("enableDefaultDeny")?.get("egress");
  return said === true || (said !== false && fields.maps("egress").length + fields.maps("egressDeny").length > 0);
}

/**
 * What callers may not reach, as denies at the workloads of the registry that they call: a decision falls at the callee.
 * Where a rule cannot be said, what it opens stays closed.
 */
export function egressDenies(specs: readonly EgressSpec[], names: Names, world: World): readonly DraftPolicy[] {
  return world.workloads.flatMap((callee) => {
    const rules = new Names();
    const deny = world.workloads
      .flatMap((caller) => denials(caller, callee, specs, world))
      .map((rule) => ({ ...rule, name: rules.take(rule.name) }));
    if (deny.length === 0) return [];
    return [
      {
        namespace: callee.namespace,
        name: names.take(`egress-to-${callee.name}`),
        protects: { workload: callee.name },
        allow: [],
        deny,
      },
    ];
  });
}

function denials(
  caller: KnownWorkload,
  callee: KnownWorkload,
  specs: readonly EgressSpec[],
  world: World,
): readonly DraftRule[] {
  const own = specs.filter(
    ({ selector, home }) =>
      (home === undefined || home === caller.namespace) && selectsEndpoint(selector, caller, home, world),
  );
  const refused = own.flatMap((spec) => refusalsOf(spec, caller, callee, world));
  if (!own.some(closesEgress)) return refused;
  const openings = own.flatMap(({ fields, home }) =>
    fields.maps("egress").flatMap((rule) => openingsOf(rule, home, callee, world)),
  );
  return [...refused, ...withoutOpenings(openings, caller, callee)];
}

/** Denies of all that no opening opens, by port where the registry knows the callee's. */
function withoutOpenings(
  openings: readonly Opening[],
  caller: KnownWorkload,
  callee: KnownWorkload,
): readonly DraftRule[] {
  const ports = callee.ports;
  const rule = (opened: readonly Opening[], port: number | undefined): readonly DraftRule[] => {
    if (opened.some(({ lines }) => lines === "any")) return [];
    const lines = [...new Set(opened.flatMap((one) => (one.lines === "any" ? [] : one.lines)))];
    return [
      {
        name: "egress",
        from: [{ workload: nameOf(caller) }],
        ...(port === undefined ? {} : { ports: [port] }),
        ...(lines.length === 0 ? {} : { except: { requests: lines } }),
      },
    ];
  };
  const everywhere = openings.filter((one) => one.ports === "any");
  if (ports === undefined) return rule(everywhere, undefined);
  if (openings.length === 0) return rule([], undefined);
  return ports.flatMap((port) =>
    rule(
      openings.filter((one) => one.ports === "any" || one.ports.includes(port)),
      port,
    ),
  );
}

/** What one egress rule opens of a callee. */
function openingsOf(rule: Fields, home: string | undefined, callee: KnownWorkload, world: World): readonly Opening[] {
  const named = TO_KEYS.some((key) => rule.get(key) !== undefined);
  const entries = rule.maps("toPorts");
  if (rule.has("toRequires") || (!named && entries.length === 0)) return [];
  if (named && !reaches(rule, home, callee, world)) return [];
  if (entries.length === 0) return [{ ports: "any", lines: "any" }];
  return entries.flatMap((entry): readonly Opening[] => {
    const rules = entry.map("rules");
    if (entry.unknown(["ports", "rules"]).length + (rules?.unknown(["http"]).length ?? 0) > 0) return [];
    const http = rules?.maps("http") ?? [];
    return [{ ports: portsOf(entry, [callee], world).ports, lines: http.length === 0 ? "any" : http.flatMap(linesOf) }];
  });
}

function reaches(rule: Fields, home: string | undefined, callee: KnownWorkload, world: World): boolean {
  const list = rule.get("toEndpoints");
  const values: readonly unknown[] = Array.isArray(list) ? list : [];
  const selectors = values.flatMap((value) => readEndpointSelector(value) ?? []);
  return (
    selectors.some((one) => selectsEndpoint(one, callee, home, world)) ||
    rule.texts("toEntities").some((entity) => ALL_ENTITIES.includes(entity))
  );
}

/** Request lines of an HTTP rule; none where it asks for more than lines can. */
function linesOf(rule: Fields): readonly string[] {
  const { condition, refusedTarget, refusedHost, unsaid } = readHttpRule(rule);
  if (unsaid.length > 0 || refusedTarget !== undefined || refusedHost !== undefined) return [];
  const { pieces } = piecesOf(condition);
  return pieces
    .filter(({ headers, query, except }) => headers.size + query.size + except.length === 0)
    .flatMap(({ methods, paths }) => paths.map((path) => `${methods === "ANY" ? "ANY" : methods.join("|")} ${path}`));
}

/** Denies of `egressDeny`. One whose callees cannot be told denies them all. */
function refusalsOf(
  { fields, home }: EgressSpec,
  caller: KnownWorkload,
  callee: KnownWorkload,
  world: World,
): readonly DraftRule[] {
  return fields.maps("egressDeny").flatMap((rule): readonly DraftRule[] => {
    const named = TO_KEYS.some((key) => rule.get(key) !== undefined);
    const untold = ["toServices", "toGroups", "toNodes", "toRequires"].some((key) => rule.has(key));
    const entries = rule.maps("toPorts").map((entry) => portsOf(entry, [callee], world));
    if ((!named && entries.length === 0) || (named && !untold && !reaches(rule, home, callee, world))) return [];
    const open =
      entries.length === 0 ||
      entries.some(({ ports, left }) => ports === "any" || left.some(({ scope }) => scope === undefined));
    const ports = entries.flatMap((entry) => (entry.ports === "any" ? [] : entry.ports));
    if (!open && ports.length === 0) return [];
    return [
      { name: "egress-deny", from: [{ workload: nameOf(caller) }], ...(open ? {} : { ports: [...new Set(ports)] }) },
    ];
  });
}
