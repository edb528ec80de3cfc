import type { DraftCaller, DraftPolicy, DraftRule } from "../draft/draft.ts";
import { everyCaller } from "../draft/everything.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { openByDefault } from "../draft/open-by-default.ts";
import { type Suspected, saySuspects } from "../draft/suspects.ts";
import { type KnownWorkload, nameOf, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import { kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { Importer } from "../importer.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { Fields } from "../translate/fields.ts";
import { notePieces, rulesOf } from "../translate/grant.ts";
import { EVERYTHING, piecesOf } from "../translate/piece.ts";
import { type Context, callersOf, FROM_KEYS } from "./callers.ts";
import { egressDenies } from "./egress.ts";
import { readHttpRule } from "./http-rule.ts";
import { portsOf } from "./ports.ts";
import { type Spec, specsOf } from "./read-specs.ts";
import { protectionsOf, selectsEndpoint } from "./selector.ts";
import { suspectWider } from "./suspect-wider.ts";

/**
 * CiliumNetworkPolicies and CiliumClusterwideNetworkPolicies: ingress at layers 3, 4 and 7 (HTTP). Allows of all policies
 * add up, so that one without HTTP rules opens its port whatever others ask; a deny at layer 3 or 4 wins.
 */
export const importCilium: Importer = (texts, options) => {
  const notes = new Notes();
  const world = worldOf(options);
  const specs = readForeignYaml(texts).flatMap((document) => {
    const kind = kindOf(document.value);
    if (kind === "CiliumNetworkPolicy" || kind === "CiliumClusterwideNetworkPolicy")
      return specsOf(new Fields(document, [], document.value), kind, options.namespace ?? "default", notes);
    notes.add(document.at([]), kind, "unsupported", "only Cilium's network policies are read");
    return [];
  });
  const names = new Names();
  const suspects: Suspected[] = [];
  const policies = specs.flatMap((spec) => policiesOf(spec, names, { world, notes, suspects }));
  const isClosed = (workload: KnownWorkload): boolean =>
    options.defaultAction === "deny" || specs.some((spec) => spec.closes && selectedBy(spec, world).includes(workload));
  const open = openByDefault(
    {
      construct: "no policy selects the endpoint for ingress",
      place: specs[0]?.fields.place() ?? { file: texts[0]?.path ?? "", line: 1, column: 1 },
      prefix: "cilium",
      isClosed,
    },
    world,
    names,
    notes,
  );
  const drafts = [...policies, ...open, ...egressDenies(specs, names, world)];
  // What is open by default the source denies to nobody.
  const closed = new Set(world.workloads.filter(isClosed).map(nameOf));
  saySuspects(suspects, drafts, world, ({ to }) => closed.has(to));
  return {
    documents: writeDocuments(drafts, world),
    report: reportOf(notes.entries),
  };
};

function policiesOf(spec: Spec, names: Names, context: Context): readonly DraftPolicy[] {
  const { fields, home, selector, construct, name } = spec;
  const rules = new Names();
  const allow = fields
    .maps("ingress")
    .flatMap((rule, index) =>
      allowsOf(rule, { ...spec, construct: `${construct}: ingress[${index}]` }, rules, context),
    );
  const deny = fields
    .maps("ingressDeny")
    .flatMap((rule, index) =>
      deniesOf(rule, { ...spec, construct: `${construct}: ingressDeny[${index}]` }, rules, context),
    );
  if (fields.get("ingress") !== undefined && allow.length === 0)
    context.notes.add(fields.place("ingress"), construct, "exact", "selected without a rule that lets anyone in");
  return protectionsOf(selector, home, context.world).map((protection) => ({
    namespace: protection.home,
    name: names.take(home === protection.home ? name : `${home ?? "cluster"}-${name}`),
    protects: protection.protects,
    allow,
    deny,
  }));
}

const RULE_KEYS =
  "fromEndpoints fromRequires fromCIDR fromCIDRSet fromEntities fromGroups fromNodes toPorts icmps authentication".split(
    " ",
  );

function allowsOf(rule: Fields, spec: Spec, names: Names, context: Context): readonly DraftRule[] {
  const { construct } = spec;
  const { notes } = context;
  const unread = [...rule.unknown(RULE_KEYS), ...(rule.has("fromRequires") ? ["fromRequires"] : [])];
  for (const key of unread)
    notes.add(rule.place(key), `${construct}: ${key}`, "unsupported", "the rule lets nobody in");
  if (unread.length > 0) return [];
  noteIcmps(rule, spec, notes);
  const from = callersOf(rule, spec, context);
  const toPorts = rule.maps("toPorts");
  // A rule that names nothing, and one for ICMP alone, selects nobody.
  if (from.length === 0 || (toPorts.length === 0 && !FROM_KEYS.some((key) => rule.has(key)))) return [];
  if (toPorts.length === 0)
    return grantAll({ name: spec.name, from, place: rule.place(), construct }, undefined, names, context);
  return toPorts.flatMap((entry, index) =>
    allowsOfPorts(entry, from, { ...spec, construct: `${construct}.toPorts[${index}]` }, names, context),
  );
}

interface Grantee {
  readonly name: string;
  readonly from: readonly DraftCaller[];
  readonly place: SourcePlace;
  readonly construct: string;
}

function grantAll(
  { name, from, place, construct }: Grantee,
  ports: readonly number[] | undefined,
  names: Names,
  { world, notes }: Context,
): readonly DraftRule[] {
  const pieces = piecesOf(EVERYTHING);
  notePieces(pieces, { place, construct, notes, world });
  return rulesOf(pieces, { name, from, connections: true, ...(ports === undefined ? {} : { ports }) }, names, world);
}

const PORT_KEYS = ["ports", "rules"];

function allowsOfPorts(
  entry: Fields,
  from: readonly DraftCaller[],
  spec: Spec,
  names: Names,
  context: Context,
): readonly DraftRule[] {
  const { construct, name } = spec;
  const { world, notes } = context;
  const ports = portsNoted(entry, spec, context);
  const rules = entry.map("rules");
  const unread = [...entry.unknown(PORT_KEYS), ...(rules?.unknown(["http"]) ?? [])];
  for (const key of unread)
    notes.add(
      entry.place(key),
      `${construct}: ${key}`,
      "unsupported",
      "what it asks for is not seen by a decision: it lets nobody in",
    );
  if (unread.length > 0 || ports?.length === 0) return [];
  const http = rules?.maps("http") ?? [];
  const place = entry.place();
  if (http.length === 0) return grantAll({ name, from, place, construct }, ports, names, context);
  return http.flatMap((rule, index) => {
    const what = `${construct}.http[${index}]`;
    const read = readHttpRule(rule);
    for (const key of read.unsaid)
      notes.add(
        rule.place(key),
        `${what}: ${key}`,
        "unsupported",
        "it cannot be said, so that the rule lets nobody in",
      );
    if (read.unsaid.length > 0) return [];
    const pieces = piecesOf(read.condition);
    notePieces(pieces, { place: rule.place(), construct: what, notes, world });
    const rules = rulesOf(pieces, { name, from, ...(ports === undefined ? {} : { ports }) }, names, world);
    suspectWider(read, rules, { place: rule.place(), construct: what }, context);
    return rules;
  });
}

function selectedBy({ selector, home }: Spec, world: Context["world"]): readonly KnownWorkload[] {
  return world.workloads.filter(
    (one) => (home === undefined || home === one.namespace) && selectsEndpoint(selector, one, home, world),
  );
}

/** The ports of an entry; `undefined` is all. */
function portsNoted(entry: Fields, spec: Spec, { world, notes }: Context): readonly number[] | undefined {
  const { construct } = spec;
  const { ports, left } = portsOf(entry, selectedBy(spec, world), world);
  for (const { what, scope } of left)
    notes.add(entry.place("ports"), `${construct}: ports`, "unsupported", what, scope === undefined ? {} : { scope });
  return ports === "any" ? undefined : ports;
}

function noteIcmps(rule: Fields, { construct }: Spec, notes: Notes): void {
  if (rule.has("icmps"))
    notes.add(rule.place("icmps"), `${construct}: icmps`, "unsupported", "ICMP is not carried by a sidecar", {
      scope: "datagram",
    });
}

/** Denials know no HTTP. What one cannot say it denies more widely. */
function deniesOf(rule: Fields, spec: Spec, names: Names, context: Context): readonly DraftRule[] {
  const { construct, name } = spec;
  const { notes, world } = context;
  const unread = rule.unknown(RULE_KEYS).concat(rule.has("fromRequires") ? ["fromRequires"] : []);
  const before = notes.entries.length;
  const named = callersOf(rule, spec, context);
  const isWhole = unread.length === 0 && notes.entries.length === before;
  const from = isWhole ? named : everyCaller(world);
  notes.add(
    rule.place(),
    construct,
    isWhole ? "exact" : "narrower",
    isWhole ? "the same callers are denied" : "some of the callers cannot be named, so that everybody is denied",
  );
  if (from.length === 0 || (rule.maps("toPorts").length === 0 && !FROM_KEYS.some((key) => rule.has(key)))) return [];
  const entries = rule.maps("toPorts").map((entry) => portsOf(entry, selectedBy(spec, world), world));
  const untold = entries.flatMap(({ left }) => left).filter(({ scope }) => scope === undefined);
  for (const { what } of untold)
    notes.add(rule.place("toPorts"), `${construct}: ports`, "narrower", `${what}: every port is denied`);
  const open = entries.length === 0 || untold.length > 0 || entries.some(({ ports }) => ports === "any");
  const ports = entries.flatMap((entry) => (entry.ports === "any" ? [] : entry.ports));
  if (!open && ports.length === 0) return [];
  return [{ name: names.take(`deny-${name}`), from, ...(open ? {} : { ports: [...new Set(ports)] }) }];
}
