import type { DraftCaller, DraftPolicy, DraftRule } from "../draft/draft.ts";
import { labelOf, Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { saySuspects } from "../draft/suspects.ts";
import { type KnownWorkload, nameOf, type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer, ImportOptions, ImportWorkload } from "../importer.ts";
import { reportOf } from "../report.ts";
import { notePieces, rulesOf } from "../translate/grant.ts";
import { EVERYTHING, type Pieces, piecesOf, withTokens } from "../translate/piece.ts";
import { without } from "../translate/subtract.ts";
import { ofKind, readEntries } from "./entries.ts";
import { type Intention, intentionsOf, type Permission, type ServiceName } from "./intention.ts";
import { ConsulTokens } from "./tokens.ts";

const NOTHING: Pieces = { pieces: [], losses: [] };

/**
 * Service intentions of Consul and the token providers they name, as Kubernetes resources or config entries in HCL, JSON or YAML. For one source and destination
 * the most precise intention alone counts; its permissions are taken in order, and what none matches gets
 * `options.defaultAction`, which is `deny` if left out. Services of the source that the registry lacks are added to it.
 */
export const importConsul: Importer = (texts, options) => {
  const notes = new Notes();
  const home = options.namespace ?? "default";
  const entries = texts.flatMap(readEntries);
  const tokens = new ConsulTokens(ofKind(entries, "jwtprovider"), options, notes);
  for (const entry of entries.filter(({ kind }) => !KNOWN_KINDS.includes(kind)))
    notes.add(
      entry.fields.place(),
      entry.written,
      "unsupported",
      "only service intentions and token providers are imported",
    );
  const intentions = ofKind(entries, "serviceintentions").flatMap((entry) => intentionsOf(entry, home, tokens, notes));
  const world = {
    ...worldOf({ ...options, workloads: registryOf(intentions, options, home) }),
    jwtProviders: tokens.providers,
  };
  const defaultAction = options.defaultAction ?? "deny";
  for (const intention of intentions) noteIntention(intention, { world, defaultAction, notes });
  const policies = world.workloads.map((workload) => policyOf(workload, intentions, { world, defaultAction, notes }));
  saySuspects(tokens.suspects, policies, world);
  return { documents: writeDocuments(policies, world), report: reportOf(notes.entries) };
};

/** What is read, and what says nothing of who may call. */
const KNOWN_KINDS = ["serviceintentions", "jwtprovider", "servicedefaults", "proxydefaults"];

/** The registry given, and every service that the source names. */
function registryOf(intentions: readonly Intention[], options: ImportOptions, home: string): readonly ImportWorkload[] {
  const known = [...(options.workloads ?? [])];
  const trustDomain = options.trustDomain ?? "cluster.local";
  for (const { namespace, name } of intentions.flatMap(({ destination, source }) => [destination, source])) {
    const place = namespace === "*" ? home : namespace;
    if (name === "*" || known.some((one) => one.namespace === place && one.name === labelOf(name))) continue;
    known.push({
      namespace: place,
      name: labelOf(name),
      labels: {},
      identity: `spiffe://${trustDomain}/ns/${place}/dc/dc1/svc/${name}`,
    });
  }
  return known;
}

interface Context {
  readonly world: World;
  readonly defaultAction: "allow" | "deny";
  readonly notes: Notes;
}

function policyOf(workload: KnownWorkload, intentions: readonly Intention[], context: Context): DraftPolicy {
  const { named, rest } = winnersFor(workload, intentions);
  const names = new Names();
  const general = grantOf(rest, context.defaultAction);
  const excluded = named.map(({ source }) => callerOf(source));
  const carved = general.pieces.some(({ except }) => except.length > 0);
  const own = named.map((intention) => ({ intention, pieces: grantOf(intention, context.defaultAction) }));
  const deny = carved ? own.flatMap(({ intention, pieces }) => denialOf(intention, pieces, names)) : [];
  const unruly = carved && own.some(({ pieces }) => !isDeniable(pieces));
  if (unruly && rest !== undefined) context.notes.add(rest.place, rest.construct, "narrower", TOGETHER);
  const usable = unruly ? withoutCarved(general) : general;
  const allow = [
    ...own.flatMap(({ intention, pieces }) =>
      rulesOf(
        pieces,
        { name: `from-${intention.source.name}`, from: [callerOf(intention.source)], connections: isPlain(intention) },
        names,
        context.world,
      ),
    ),
    ...rulesOf(
      usable,
      {
        name: "from-any",
        from: [{ anyone: "authenticated" }],
        exceptFrom: excluded,
        connections: rest === undefined || isPlain(rest),
      },
      names,
      context.world,
    ),
  ];
  return {
    namespace: workload.namespace,
    name: `consul-${workload.name}`,
    protects: { workload: workload.name },
    allow,
    deny,
  };
}

const TOGETHER =
  "callers with permissions of their own that ask for headers cannot be kept apart from it, so what it allows between its denials is denied";

const isPlain = ({ action }: Intention): boolean => typeof action === "string";

function withoutCarved({ pieces, losses }: Pieces): Pieces {
  return { pieces: pieces.filter(({ except }) => except.length === 0), losses };
}

function callerOf({ namespace, name }: ServiceName): DraftCaller {
  return { workload: `${namespace}/${labelOf(name)}` };
}

/** Whether what a caller may do is request lines alone, so that a deny can spare exactly that. */
function isDeniable({ pieces }: Pieces): boolean {
  return pieces.every(
    ({ headers, query, except, hosts, jwt }) =>
      headers.size + query.size + except.length === 0 && hosts === undefined && jwt === undefined,
  );
}

/** A deny of everything that a caller with an intention of its own may not do. */
function denialOf({ source }: Intention, pieces: Pieces, names: Names): readonly DraftRule[] {
  if (!isDeniable(pieces)) return [];
  const spared = pieces.pieces.flatMap(({ methods, paths }) =>
    paths.map((path) => `${methods === "ANY" ? "ANY" : methods.join("|")} ${path}`),
  );
  if (spared.includes("ANY /**")) return [];
  const except = spared.length === 0 ? {} : { except: { requests: [...new Set(spared)] } };
  return [{ name: names.take(`only-as-said-from-${source.name}`), from: [callerOf(source)], ...except }];
}

interface Winners {
  readonly named: readonly Intention[];
  readonly rest: Intention | undefined;
}

/** For each source the intention that counts: an exact destination before an exact source, the first of equals. */
function winnersFor(workload: KnownWorkload, intentions: readonly Intention[]): Winners {
  const applicable = intentions
    .filter(({ destination }) => isMeant(destination, workload))
    .sort((a, b) => precision(b) - precision(a));
  const winners = new Map<string, Intention>();
  const general = applicable.find(({ source }) => source.name === "*");
  for (const intention of applicable) {
    const { namespace, name } = intention.source;
    const key = `${namespace}/${name}`;
    const overridden = general !== undefined && precision(general) > precision(intention);
    if (name !== "*" && !winners.has(key) && !overridden) winners.set(key, intention);
  }
  return { named: [...winners.values()], rest: general };
}

/** Whether a destination is a workload; one for all services of no particular namespace is every one. */
function isMeant({ namespace, name }: ServiceName, workload: KnownWorkload): boolean {
  if (name === "*") return namespace === "*" || namespace === workload.namespace;
  return nameOf(workload) === `${namespace}/${labelOf(name)}`;
}

const precision = ({ destination, source, closes }: Intention): number =>
  (destination.name === "*" ? 0 : 2) + (source.name === "*" ? 0 : 1) + (closes === true ? 0.5 : 0);

function grantOf(intention: Intention | undefined, defaultAction: "allow" | "deny"): Pieces {
  const granted = grantOfAction(intention?.action ?? defaultAction, defaultAction);
  return asking(intention?.tokens, granted);
}

const asking = (tokens: Intention["tokens"], pieces: Pieces): Pieces =>
  tokens === undefined ? pieces : withTokens(pieces, tokens);

function grantOfAction(action: Intention["action"], defaultAction: "allow" | "deny"): Pieces {
  if (action === "deny") return NOTHING;
  if (action === "allow") return piecesOf(EVERYTHING);
  const grants = action.map((permission, index) => grantOfPermission(permission, action.slice(0, index)));
  if (defaultAction === "allow") grants.push(without(piecesOf(EVERYTHING), denialsOf(action)));
  return {
    pieces: grants.flatMap(({ pieces }) => pieces),
    losses: [...new Set(grants.flatMap(({ losses }) => losses))],
  };
}

function grantOfPermission({ action, condition }: Permission, earlier: readonly Permission[]): Pieces {
  return action === "deny" ? NOTHING : without(piecesOf(condition), denialsOf(earlier));
}

const denialsOf = (permissions: readonly Permission[]): Permission["condition"][] =>
  permissions.filter(({ action }) => action === "deny").map(({ condition }) => condition);

function noteIntention(intention: Intention, { world, defaultAction, notes }: Context): void {
  const { action, place, construct, tokens } = intention;
  if (action === "deny") notes.add(place, construct, "exact", "nothing is allowed");
  else if (action === "allow") notePieces(asking(tokens, piecesOf(EVERYTHING)), { place, construct, notes, world });
  else
    action.forEach((permission, index) => {
      const { place: where, construct: what } = permission;
      const effect = asking(tokens, effectOf(action, index, defaultAction));
      notePieces(effect, { place: where, construct: what, notes, world });
    });
}

/** What a permission grants; of a denial, what it leaves of everything, where something is granted after it. */
function effectOf(action: readonly Permission[], index: number, defaultAction: "allow" | "deny"): Pieces {
  const permission = action[index];
  if (permission === undefined) return NOTHING;
  if (permission.action === "allow") return grantOfPermission(permission, action.slice(0, index));
  const after = action.slice(index + 1).some((later) => later.action === "allow") || defaultAction === "allow";
  return after ? without(piecesOf(EVERYTHING), [permission.condition]) : NOTHING;
}
