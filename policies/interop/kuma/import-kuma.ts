import type { DraftCaller, DraftPolicy, DraftRule } from "../draft/draft.ts";
import { everyCaller, everyRequest, GRPC_BY_SERVICE, UPGRADES_BY_LISTENER } from "../draft/everything.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import { isRecord, kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { Importer } from "../importer.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { Fields } from "../translate/fields.ts";
import { fromEntries } from "./from-form.ts";
import { beginning, exactly, type Named } from "./identities.ts";
import { type Target, targetsOf } from "./targets.ts";

type Effect = "deny" | "allow" | "allowWithShadowDeny";
const EFFECTS: readonly Effect[] = ["deny", "allow", "allowWithShadowDeny"];

/** What one entry of a rule matches, and on whose account. */
interface Match {
  readonly effect: Effect;
  readonly from: readonly DraftCaller[];
  readonly except: readonly DraftCaller[];
}

/**
 * MeshTrafficPermissions of Kuma, as Kubernetes resources or universal ones. Denials come first, then what is allowed; the
 * rest is denied. There is nothing about requests in them, and SNI is not seen by a decision.
 */
export const importKuma: Importer = (texts, options) => {
  const notes = new Notes();
  const world = worldOf(options);
  const documents = readForeignYaml(texts).flatMap((document) => {
    const { kind: written, type } = isRecord(document.value) ? document.value : {};
    const kind = kindOf(document.value, written === undefined && type !== undefined ? "type" : "kind");
    if (kind === "MeshTrafficPermission") return [new Fields(document, [], document.value)];
    notes.add(document.at([]), kind, "unsupported", "only MeshTrafficPermissions are imported");
    return [];
  });
  const permissions = ofOneMesh(documents, notes);
  const policies = permissions.flatMap((one) => policiesOf(one, { world, notes, permissions }));
  return { documents: writeDocuments(distinct(policies), world), report: reportOf(notes.entries) };
};

/** The permissions of the first mesh that is named: those of another decide nothing about its proxies. */
function ofOneMesh(documents: readonly Fields[], notes: Notes): readonly Fields[] {
  const meshOf = (document: Fields): string =>
    document.text("mesh") ?? document.map("metadata")?.map("labels")?.text("kuma.io/mesh") ?? "default";
  const [first] = documents;
  const others = documents.filter((one) => first !== undefined && meshOf(one) !== meshOf(first));
  for (const one of others)
    notes.add(
      one.place(),
      nameOf(one),
      "unsupported",
      `it is of the mesh \`${meshOf(one)}\`, the first here of \`${first === undefined ? "" : meshOf(first)}\`: import each mesh by itself`,
    );
  return documents.filter((one) => !others.includes(one));
}

interface Context {
  readonly world: World;
  readonly notes: Notes;
  /** All permissions of the mesh. */
  readonly permissions: readonly Fields[];
}

/** Policies of one name in two namespaces get names of their own. */
function distinct(policies: readonly DraftPolicy[]): readonly DraftPolicy[] {
  const names = new Names();
  let last = { of: "", name: "" };
  return policies.map((policy) => {
    // A candidate stands in for the live policy before it.
    if (policy.candidate === undefined || last.of !== policy.name)
      last = { of: policy.name, name: names.take(policy.name) };
    return { ...policy, name: last.name };
  });
}

/** What is said of a policy that is only tried out bears on what would be decided. */
function policiesOf(document: Fields, context: Context): readonly DraftPolicy[] {
  const { notes } = context;
  if (!isShadow(document)) return livePolicies(document, context);
  const own = new Notes();
  const rehearsed = livePolicies(document, { ...context, notes: own }).filter(
    ({ candidate }) => candidate === undefined,
  );
  notes.add(
    document.place(),
    nameOf(document),
    "exact",
    "it is only tried out: a candidate, whose verdicts are recorded",
  );
  for (const { place, construct, fidelity, reason } of own.entries)
    if (fidelity !== "exact") notes.add(place, construct, fidelity, reason, { scope: "candidate" });
  return rehearsed.map((policy) => ({ ...policy, candidate: "replace" }));
}

const nameOf = (document: Fields): string =>
  `MeshTrafficPermission ${document.text("name") ?? document.map("metadata")?.text("name") ?? ""}`;

function livePolicies(document: Fields, { world, notes, permissions }: Context): readonly DraftPolicy[] {
  const metadata = document.map("metadata");
  const name = document.text("name") ?? metadata?.text("name") ?? "";
  const construct = nameOf(document);
  const spec = document.map("spec");
  if (spec === undefined || name === "") throw document.invalid("spec", "or the name is missing");
  for (const key of spec.unknown(["targetRef", "rules", "from"]))
    notes.add(spec.place(key), `${construct}: ${key}`, "unsupported", "this key is not known");
  const targets = targetsOf(spec, metadata?.text("namespace"), { construct, world, notes });
  const isMixed = permissions.some((one) => one.map("spec")?.has("rules") === true);
  const older = fromEntries(spec, { construct, world, notes, isMixed }).map((entry) => ({ ...entry, except: [] }));
  const matches = [
    ...spec.maps("rules").flatMap((rule, at) => matchesOf(rule, `${construct}: rules[${at}]`, world, notes)),
    ...older,
  ];
  return targets.allow === undefined
    ? draftsAt(
        name,
        targets.deny,
        matches.filter(({ effect }) => effect === "deny"),
        world,
      )
    : draftsAt(name, targets.allow, matches, world);
}

function draftsAt(name: string, target: Target, matches: readonly Match[], world: World): readonly DraftPolicy[] {
  const names = new Names();
  const at = target.ports === undefined ? {} : { ports: target.ports };
  const of = (effect: Effect): readonly Match[] =>
    matches.filter((match) => match.effect === effect && match.from.length > 0);
  const allowed = (effect: Effect): readonly DraftRule[] =>
    of(effect).map(({ from }) => ({ name: names.take(NAMES[effect]), from, requests: everyRequest(world), ...at }));
  const denied = (effect: Effect): readonly DraftRule[] =>
    of(effect).map((match) => ({ ...denial(match, names), ...at }));
  const [allow, shadowed, deny] = [allowed("allow"), allowed("allowWithShadowDeny"), denied("deny")];
  // In place of the live one stands what it would be with the denials that are only recorded.
  const rehearsed = shadowed.length === 0 ? undefined : [...deny, ...denied("allowWithShadowDeny")];
  return target.protections.flatMap(({ home, protects }): readonly DraftPolicy[] => {
    const policy = { namespace: home, name, protects };
    const live: DraftPolicy = { ...policy, allow: [...allow, ...shadowed], deny };
    return rehearsed === undefined ? [live] : [live, { ...policy, allow, deny: rehearsed, candidate: "replace" }];
  });
}

const NAMES: Readonly<Record<Effect, string>> = {
  allow: "allow",
  allowWithShadowDeny: "allow-with-shadow-deny",
  deny: "deny",
};

function denial({ from, except }: Match, names: Names): DraftRule {
  return { name: names.take("deny"), from, ...(except.length === 0 ? {} : { except: { from: except } }) };
}

function isShadow(document: Fields): boolean {
  const labels = document.map("labels") ?? document.map("metadata")?.map("labels");
  return labels?.get("kuma.io/effect") === "shadow";
}

function matchesOf(rule: Fields, construct: string, world: World, notes: Notes): readonly Match[] {
  const conf = rule.map("default");
  if (conf === undefined) throw rule.invalid("default", "is missing");
  return EFFECTS.flatMap((effect) =>
    conf.maps(effect).map((entry, index) => {
      const around = { construct: `${construct}: ${effect}[${index}]`, place: entry.place(), world, notes };
      const { entries, except = [] } = callersOf(entry, effect, around);
      return { effect, from: entries, except };
    }),
  );
}

interface Around {
  readonly construct: string;
  readonly place: SourcePlace;
  readonly world: World;
  readonly notes: Notes;
}

/** Who an entry names. One that cannot be said allows nobody, and denies everybody that it might mean. */
function callersOf(entry: Fields, effect: Effect, around: Around): Named {
  const { construct, place, notes, world } = around;
  const spiffe = entry.map("spiffeID");
  const others = entry.unknown(["spiffeID"]);
  const named = spiffe === undefined ? { entries: everyCaller(world) } : identityOf(spiffe, effect, world);
  if (others.length > 0) {
    const meant = effect === "deny" ? "the entry denies whatever it is" : "the entry allows nobody";
    const reason = `\`${others.join(", ")}\` is not seen by a decision: ${meant}`;
    notes.add(place, construct, effect === "deny" ? "narrower" : "unsupported", reason);
    return effect === "deny" ? named : { entries: [] };
  }
  if (effect !== "deny") noteAllow(around);
  if (named.short !== undefined) notes.add(place, construct, "narrower", SHORT[named.short], { scope: named.short });
  notes.add(place, construct, "exact", effect === "allowWithShadowDeny" ? SHADOW : "the same callers");
  return named;
}

const SHADOW = "the same callers; a candidate denies them, and what it would decide is recorded";

const SHORT: Readonly<Record<NonNullable<Named["short"]>, string>> = {
  foreign: "the text may begin other trust domains too; only the one that it names and the own one are meant",
  unregistered:
    "identities that the text ends in the middle of a segment of are told by the registry; others there are denied",
};

function identityOf(spiffe: Fields, effect: Effect, world: World): Named {
  const [type, value = ""] = [spiffe.text("type"), spiffe.text("value")];
  if (type === "Exact") return exactly(value, world);
  if (type !== "Prefix") throw spiffe.invalid("type", "is neither Exact nor Prefix");
  return beginning(value, effect === "deny", world);
}

function noteAllow({ construct, place, notes, world }: Around): void {
  notes.add(place, construct, "narrower", GRPC_BY_SERVICE, { scope: "grpc" });
  if (!world.websocket) notes.add(place, construct, "narrower", UPGRADES_BY_LISTENER, { scope: "upgrade" });
}
