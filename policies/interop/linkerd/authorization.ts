import type { DraftCaller } from "../draft/draft.ts";
import { callersOfNamespace } from "../draft/everything.ts";
import type { Notes } from "../draft/notes.ts";
import type { World } from "../draft/world.ts";
import type { SourcePlace } from "../report.ts";
import type { Fields } from "../translate/fields.ts";
import { anybody, anyIdentity, type Callers, callersOfAccount, callersOfIdentity } from "./callers.ts";
import { networkWithout } from "./networks.ts";

/** Somebody who may use a Server, a route of it, or everything in a namespace. */
export interface Authorization {
  readonly name: string;
  readonly namespace: string;
  /** `Server/<name>`, `HTTPRoute/<name>`, `GRPCRoute/<name>`, `Namespace/<name>`. */
  readonly target: string;
  readonly from: readonly DraftCaller[];
  readonly place: SourcePlace;
  readonly construct: string;
}

/** A document with its namespace and name. */
export interface Resource {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly fields: Fields;
}

interface Requirement {
  readonly callers: Callers | undefined;
  readonly networks: readonly string[] | undefined;
}

/** Reads an AuthorizationPolicy; nothing where what it names is missing, which Linkerd passes over as well. */
export function authorizationOf(
  resource: Resource,
  resources: readonly Resource[],
  world: World,
  notes: Notes,
): readonly Authorization[] {
  const { namespace, name, fields } = resource;
  const spec = fields.map("spec");
  const target = spec?.map("targetRef");
  if (spec === undefined || target === undefined) throw fields.invalid("spec", "or its target is missing");
  const construct = `AuthorizationPolicy ${namespace}/${name}`;
  const place = fields.place("spec");
  const requirements = spec.maps("requiredAuthenticationRefs").map((ref) => {
    const found = requirementOf(ref, resource, resources, world, notes);
    if (found === undefined)
      notes.add(
        ref.place(),
        `${construct}: requiredAuthenticationRefs`,
        "exact",
        "names nothing that is there, so that the policy allows nobody",
      );
    return found;
  });
  const known = requirements.filter((one) => one !== undefined);
  if (known.length < requirements.length) return [];
  const from = together(known, world);
  const kind = target.text("kind") ?? "";
  return [{ name, namespace, target: `${kind}/${target.text("name") ?? ""}`, from, place, construct }];
}

/** All requirements at once: identities by addresses. */
function together(requirements: readonly Requirement[], world: World): readonly DraftCaller[] {
  const callers = requirements.map((one) => one.callers).find((one) => one !== undefined) ?? anybody(world);
  const networks = requirements.map((one) => one.networks).find((one) => one !== undefined);
  return withNetworks(callers.entries, networks);
}

function withNetworks(
  entries: readonly DraftCaller[],
  networks: readonly string[] | undefined,
): readonly DraftCaller[] {
  if (networks === undefined) return entries;
  if (networks.length === 0) return [];
  return entries.map((entry) => ({ ...entry, addresses: networks }));
}

function requirementOf(
  ref: Fields,
  policy: Resource,
  resources: readonly Resource[],
  world: World,
  notes: Notes,
): Requirement | undefined {
  const [kind, name] = [ref.text("kind") ?? "", ref.text("name") ?? ""];
  const namespace = ref.text("namespace") ?? policy.namespace;
  if (kind === "ServiceAccount") {
    const callers = callersOfAccount(namespace, name, world);
    for (const lost of callers.lost)
      notes.add(ref.place(), `ServiceAccount ${lost}`, "unsupported", "no identity has this name");
    return { callers, networks: undefined };
  }
  const found = resources.find((one) => one.kind === kind && one.namespace === namespace && one.name === name);
  if (found === undefined) return undefined;
  if (kind === "MeshTLSAuthentication") return { callers: meshTls(found, world, notes), networks: undefined };
  if (kind === "NetworkAuthentication")
    return { callers: undefined, networks: networksOf(found.fields.map("spec"), found, notes) };
  throw ref.invalid("kind", "is no authentication");
}

function meshTls({ namespace, name, fields }: Resource, world: World, notes: Notes): Callers {
  const spec = fields.map("spec");
  const identities = (spec?.texts("identities") ?? []).map((text) => callersOfIdentity(text, world));
  const refs = (spec?.maps("identityRefs") ?? []).map((ref) => {
    const [kind, named] = [ref.text("kind"), ref.text("name")];
    if (kind === "Namespace") return { entries: callersOfNamespace(named ?? namespace, world), lost: [] };
    if (kind !== "ServiceAccount" || named === undefined)
      throw ref.invalid("kind", "is neither ServiceAccount nor Namespace");
    return callersOfAccount(ref.text("namespace") ?? namespace, named, world);
  });
  const all = [...identities, ...refs];
  for (const lost of all.flatMap((one) => one.lost))
    notes.add(
      fields.place("spec"),
      `MeshTLSAuthentication ${namespace}/${name}`,
      "unsupported",
      `\`${lost}\` is no identity of a known trust domain`,
    );
  return { entries: all.flatMap(({ entries }) => entries), lost: [] };
}

function networksOf(spec: Fields | undefined, { namespace, name, kind }: Resource, notes: Notes): readonly string[] {
  return (spec?.maps("networks") ?? []).flatMap((network) => {
    const blocks = networkWithout(network.text("cidr") ?? "", network.texts("except"));
    if (blocks === undefined)
      notes.add(
        network.place(),
        `${kind} ${namespace}/${name}: networks`,
        "unsupported",
        "these addresses cannot be written as blocks",
      );
    return blocks ?? [];
  });
}

/** Reads a ServerAuthorization, the older form; one authorization for each Server that it selects. */
export function serverAuthorizationOf(
  resource: Resource,
  servers: readonly Resource[],
  world: World,
  notes: Notes,
): readonly Authorization[] {
  const { namespace, name, fields } = resource;
  const construct = `ServerAuthorization ${namespace}/${name}`;
  const [server, client] = [fields.map("spec")?.map("server"), fields.map("spec")?.map("client")];
  if (server === undefined || client === undefined) throw fields.invalid("spec", "lacks the server or the client");
  const named = server.text("name");
  const selector = server.map("selector");
  const selected = servers.filter(
    (one) =>
      one.namespace === namespace &&
      (named === undefined ? selector !== undefined && selects(selector, one) : one.name === named),
  );
  if (selected.length === 0)
    notes.add(fields.place("spec"), construct, "unsupported", "no Server among the documents is the one that it is of");
  const networks = client.maps("networks").length === 0 ? undefined : networksOf(client, resource, notes);
  const from = withNetworks(clientCallers(client, namespace, world, notes, construct), networks);
  return selected.map((one) => ({
    name,
    namespace,
    target: `Server/${one.name}`,
    from,
    place: fields.place("spec"),
    construct,
  }));
}

function selects(selector: Fields, { fields }: Resource): boolean {
  const labels = fields.map("metadata")?.map("labels");
  const wanted = selector.map("matchLabels");
  return (
    (wanted?.unknown([]) ?? []).every((key) => labels?.get(key) === wanted?.get(key)) &&
    !selector.has("matchExpressions")
  );
}

function clientCallers(
  client: Fields,
  namespace: string,
  world: World,
  notes: Notes,
  construct: string,
): readonly DraftCaller[] {
  const tls = client.map("meshTLS");
  if (client.flag("unauthenticated") || (tls?.flag("unauthenticatedTLS") ?? false)) return anybody(world).entries;
  const identities = (tls?.texts("identities") ?? []).map((text) => callersOfIdentity(text, world));
  const accounts = (tls?.maps("serviceAccounts") ?? []).map((account) =>
    callersOfAccount(account.text("namespace") ?? namespace, account.text("name") ?? "", world),
  );
  const all = [...identities, ...accounts];
  for (const lost of all.flatMap((one) => one.lost))
    notes.add(client.place(), construct, "unsupported", `\`${lost}\` is no identity of a known trust domain`);
  return all.flatMap(({ entries }) => entries);
}

/** Who an access policy of a Server lets in beside its authorizations. */
export function callersOfAccessPolicy(policy: string, world: World): readonly DraftCaller[] | undefined {
  switch (policy) {
    case "deny":
      return [];
    case "all-authenticated":
      return anyIdentity(world).entries;
    // An audit lets everything through and records what an authorization would have refused.
    case "audit":
    case "all-unauthenticated":
      return anybody(world).entries;
    default:
      return undefined;
  }
}
