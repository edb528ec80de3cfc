import type { DraftCaller, DraftPolicy, DraftProtects } from "../draft/draft.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import { type ForeignDocument, kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { Importer } from "../importer.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { Fields } from "../translate/fields.ts";
import { notePieces, rulesOf } from "../translate/grant.ts";
import { EVERYTHING, type Pieces, piecesOf } from "../translate/piece.ts";
import { without } from "../translate/subtract.ts";
import {
  type Authorization,
  authorizationOf,
  callersOfAccessPolicy,
  type Resource,
  serverAuthorizationOf,
} from "./authorization.ts";
import { type RouteMatch, routeMatches, standing } from "./route-match.ts";
import { protectsOf } from "./selector.ts";
import { sayWithoutServer } from "./without-server.ts";

const KINDS = new Set(
  "Server HTTPRoute GRPCRoute AuthorizationPolicy MeshTLSAuthentication NetworkAuthentication ServerAuthorization".split(
    " ",
  ),
);

/**
 * Linkerd's policy resources. Of the routes of a Server the most precise one that matches a request counts, and whoever may
 * use that route, the Server or its namespace is let in; what no route matches is denied (404 in Linkerd, 403 here).
 * Ports without a Server stay closed.
 */
export const importLinkerd: Importer = (texts, options) => {
  const notes = new Notes();
  const home = options.namespace ?? "default";
  const resources = readForeignYaml(texts).flatMap((document) => resourceOf(document, home, notes));
  const services = resources.flatMap(servicesOf);
  const world = worldOf({ ...options, grpcServices: [...new Set([...(options.grpcServices ?? []), ...services])] });
  const servers = resources.filter(({ kind }) => kind === "Server");
  const authorizations = resources.flatMap((one) => {
    if (one.kind === "AuthorizationPolicy") return authorizationOf(one, resources, world, notes);
    return one.kind === "ServerAuthorization" ? serverAuthorizationOf(one, servers, world, notes) : [];
  });
  sayWithoutServer(resources, authorizations, notes);
  const policies = servers.flatMap((server) => policiesOf(server, { resources, authorizations, world, notes }));
  return { documents: writeDocuments(distinct(policies), world), report: reportOf(notes.entries) };
};

/** Names are unique in a namespace: two that are one as a DNS label are told apart by a number. */
function distinct(policies: readonly DraftPolicy[]): readonly DraftPolicy[] {
  const names = new Map<string, Names>();
  return policies.map((policy) => {
    const taken = names.get(policy.namespace) ?? new Names();
    names.set(policy.namespace, taken);
    return { ...policy, name: taken.take(policy.name) };
  });
}

function resourceOf(document: ForeignDocument, home: string, notes: Notes): readonly Resource[] {
  const { value } = document;
  const kind = kindOf(value);
  if (!KINDS.has(kind)) {
    notes.add(document.at([]), kind, "unsupported", "this is no policy of inbound requests");
    return [];
  }
  const fields = new Fields(document, [], value);
  const metadata = fields.map("metadata");
  return [{ kind, fields, namespace: metadata?.text("namespace") ?? home, name: metadata?.text("name") ?? "" }];
}

/** The gRPC services that routes name. */
function servicesOf({ kind, fields }: Resource): readonly string[] {
  if (kind !== "GRPCRoute") return [];
  const matches =
    fields
      .map("spec")
      ?.maps("rules")
      .flatMap((rule) => rule.maps("matches")) ?? [];
  return matches.flatMap((match) => match.map("method")?.text("service") ?? []);
}

interface Context {
  readonly resources: readonly Resource[];
  readonly authorizations: readonly Authorization[];
  readonly world: World;
  readonly notes: Notes;
}

function policiesOf(server: Resource, context: Context): readonly DraftPolicy[] {
  const { notes, world } = context;
  const spec = server.fields.map("spec");
  if (spec === undefined) throw server.fields.invalid("spec", "is missing");
  const construct = `Server ${server.namespace}/${server.name}`;
  const protects = protectsOf(spec, server, world, notes, construct);
  return protects.flatMap((target, index) => {
    const ports = portsOf(spec, target, world);
    if (ports === undefined) {
      notes.add(
        spec.place("port"),
        `${construct}: port`,
        "unsupported",
        "the registry does not say which number this port has",
      );
      return [];
    }
    const allow = rulesFor(server, spec, ports, context);
    const name = protects.length === 1 ? server.name : `${server.name}-${index + 1}`;
    return [{ namespace: server.namespace, name, protects: target, allow, deny: [] }];
  });
}

/** The port of a Server; by name where every workload that is protected has it under that name. */
function portsOf(
  spec: Fields,
  protects: DraftProtects,
  { workloads, portNames }: World,
): readonly number[] | undefined {
  const port = spec.get("port");
  if (typeof port === "number") return [port];
  if (typeof port !== "string") return undefined;
  if (/^[0-9]+$/.test(port)) return [Number(port)];
  if (workloads.length === 0) return portNames[port] === undefined ? undefined : [portNames[port]];
  const name = "workload" in protects ? protects.workload : undefined;
  const numbers = workloads.flatMap((one) =>
    name === undefined || one.name === name ? (one.namedPorts?.[port] ?? []) : [],
  );
  const [only] = numbers;
  return new Set(numbers).size === 1 && only !== undefined ? [only] : undefined;
}

interface Grantee {
  readonly name: string;
  readonly from: readonly DraftCaller[];
  readonly target: string;
  readonly place: SourcePlace;
  readonly construct: string;
}

function rulesFor(server: Resource, spec: Fields, ports: readonly number[], context: Context): DraftPolicy["allow"] {
  const { notes, world, resources } = context;
  const names = new Names();
  const routes = routesOf(server, resources, world, notes);
  return granteesOf(server, spec, context).flatMap(({ name, from, target, place, construct }) => {
    const pieces = routes === undefined ? everythingFor(target) : piecesFor(target, routes);
    if (from.length === 0) return [];
    notePieces(pieces, { place, construct, notes, world });
    return rulesOf(pieces, { name, from, ports, connections: routes === undefined }, names, world);
  });
}

function granteesOf(server: Resource, spec: Fields, { authorizations, world, notes }: Context): readonly Grantee[] {
  const access = spec.text("accessPolicy") ?? "deny";
  const construct = `Server ${server.namespace}/${server.name}: accessPolicy`;
  const from = callersOfAccessPolicy(access, world);
  const place = spec.place("accessPolicy");
  if (from === undefined) notes.add(place, construct, "unsupported", `\`${access}\` depends on the cluster's networks`);
  const implied = { name: access, from: from ?? [], target: `Server/${server.name}`, place, construct };
  const targets = [`Server/${server.name}`, `Namespace/${server.namespace}`];
  const here = authorizations.filter(
    ({ namespace, target }) =>
      namespace === server.namespace && (targets.includes(target) || /^(?:HTTP|GRPC)Route\//.test(target)),
  );
  return [...here, implied];
}

/** Without routes a Server has one way in, which authorizations of the Server and of its namespace open. */
function everythingFor(target: string): Pieces {
  return /^(?:Server|Namespace)\//.test(target) ? piecesOf(EVERYTHING) : { pieces: [], losses: [] };
}

/** The matches of the routes of a Server, oldest route first; `undefined` where it has no route. */
function routesOf(
  server: Resource,
  resources: readonly Resource[],
  world: World,
  notes: Notes,
): readonly RouteMatch[] | undefined {
  const routes = resources
    .filter(({ kind, namespace }) => (kind === "HTTPRoute" || kind === "GRPCRoute") && namespace === server.namespace)
    .filter(({ fields }) =>
      (fields.map("spec")?.maps("parentRefs") ?? []).some(
        (ref) => ref.text("kind") === "Server" && ref.text("name") === server.name,
      ),
    )
    .sort((a, b) => (created(a) < created(b) ? -1 : created(a) > created(b) ? 1 : 0));
  if (routes.length === 0) return undefined;
  return routes.flatMap(({ kind, fields }) =>
    routeMatches(fields, kind === "GRPCRoute" ? "GRPCRoute" : "HTTPRoute", world, notes),
  );
}

const created = ({ fields }: Resource): string => fields.map("metadata")?.text("creationTimestamp") ?? "";

/** What a grant of a target opens: its matches, without what goes to a more precise match that it does not open. */
function piecesFor(target: string, matches: readonly RouteMatch[]): Pieces {
  const opened = (match: RouteMatch): boolean => match.route === target || /^(?:Server|Namespace)\//.test(target);
  const losses = new Set<Pieces["losses"][number]>();
  const pieces = matches.filter(opened).flatMap((match) => {
    const stronger = matches.filter((other) => !opened(other) && stands(other, match, matches) !== "after");
    const unsure = stronger.some((other) => stands(other, match, matches) === "either");
    const cut = without(
      piecesOf(match.condition),
      stronger.map(({ condition }) => condition),
    );
    for (const loss of cut.losses) losses.add(loss);
    if (unsure) losses.add("inexpressible");
    return cut.pieces;
  });
  return { pieces, losses: [...losses] };
}

function stands(a: RouteMatch, b: RouteMatch, matches: readonly RouteMatch[]): ReturnType<typeof standing> {
  return standing(a, b, matches.indexOf(a) < matches.indexOf(b));
}
