import type { Random } from "../../property/random.ts";
import type { Verdict } from "./hold-import.ts";

// MeshTrafficPermissions, restated: all rules of the policies that select the callee are one list, denials before allows.

interface Identity {
  readonly type: "Exact" | "Prefix";
  readonly value: string;
}

interface Entry {
  readonly spiffeID?: Identity;
  readonly sni?: { readonly type: "Exact"; readonly value: string };
}

type Conf = Readonly<Partial<Record<"deny" | "allow" | "allowWithShadowDeny", readonly Entry[]>>>;

export interface Permission {
  readonly name: string;
  /** Absent: a universal resource, of the whole mesh. */
  readonly namespace?: string;
  readonly isShadow: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly section?: string;
  readonly confs: readonly Conf[];
}

export interface KumaWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly identity: string;
  readonly namedPorts: Readonly<Record<string, number>>;
}

const OWN = "mesh.local";
export const FEDERATED = "mesh.local.evil";
const id = (path: string, domain = OWN): string => `spiffe://${domain}${path}`;

const named = (namespace: string, name: string, app: string, path = `/ns/${namespace}/sa/${name}`): KumaWorkload => ({
  namespace,
  name,
  labels: { app },
  identity: id(path),
  namedPorts: { http: 8080, admin: 9090 },
});

export const WORKLOADS: readonly KumaWorkload[] = [
  named("shop", "web", "web"),
  named("shop", "web-2", "web"),
  named("shop", "api", "api"),
  named("stock", "db", "db"),
  named("stock", "deep", "db", "/ns/stock/sa/db/replica"),
];

export const STRANGERS: readonly string[] = [
  id("/ns/shop/sa/unknown"),
  id("/ns/shop/sa/web-9"),
  id("/ns/shop/sa/web", FEDERATED),
  id("/ns/shop/sa/web", "mesh.elsewhere"),
];

const VALUES = [
  "spiffe://",
  "spiffe://mesh",
  id(""),
  id("/"),
  id("/ns/shop"),
  id("/ns/shop/"),
  id("/ns/shop/sa/web"),
  id("/ns/shop/sa/web-2"),
  id("/ns/shop/sa/web/"),
  id("/ns/stock/sa/db"),
  id("/ns/st"),
  id("/ns/shop/sa/web", FEDERATED),
  id("/ns/shop/", FEDERATED),
  id("", "mesh.elsewhere"),
];

function entryOf(random: Random): Entry {
  const sni = random.chance(0.04) ? ({ type: "Exact", value: "api.example" } as const) : undefined;
  const type = random.pick(["Exact", "Prefix", "Prefix"] as const);
  const value = random.pick(type === "Exact" ? VALUES.filter((one) => /\/sa\/[^/]+$/.test(one)) : VALUES);
  return {
    ...(sni === undefined || random.chance(0.5) ? { spiffeID: { type, value } } : {}),
    ...(sni === undefined ? {} : { sni }),
  };
}

function confOf(random: Random): Conf {
  const part = (chance: number): readonly Entry[] | undefined =>
    random.maybe(chance, () => random.list(0, 2, () => entryOf(random)));
  const [deny, allow, allowWithShadowDeny] = [part(0.35), part(0.8), part(0.2)];
  return {
    ...(deny === undefined ? {} : { deny }),
    ...(allow === undefined ? {} : { allow }),
    ...(allowWithShadowDeny === undefined ? {} : { allowWithShadowDeny }),
  };
}

/** A few permissions, of the mesh, of namespaces, of labelled proxies and of one of their listeners. */
export function permissionsOf(random: Random): readonly Permission[] {
  return random
    .list(0, 3, () => random.int(1_000))
    .map((_, index) => {
      const namespace = random.maybe(0.4, () => random.pick(["shop", "stock", "kuma-system"]));
      const labels = random.maybe(0.4, () => ({ app: random.pick(["web", "api", "db", "none"]) }));
      const section = labels === undefined ? undefined : random.maybe(0.2, () => random.pick(["http", "admin"]));
      return {
        name: `p${index}`,
        isShadow: random.chance(0.08),
        confs: random.list(1, 2, () => confOf(random)),
        ...(namespace === undefined ? {} : { namespace }),
        ...(labels === undefined ? {} : { labels }),
        ...(section === undefined ? {} : { section }),
      };
    });
}

export function documentOf({ name, namespace, isShadow, labels, section, confs }: Permission): unknown {
  const effect = isShadow ? { "kuma.io/effect": "shadow" } : {};
  const spec = {
    ...(labels === undefined
      ? {}
      : { targetRef: { kind: "Dataplane", labels, ...(section && { sectionName: section }) } }),
    rules: confs.map((conf) => ({ default: conf })),
  };
  if (namespace === undefined) return { type: "MeshTrafficPermission", name, mesh: "default", labels: effect, spec };
  const metadata = { name, namespace, labels: { "kuma.io/mesh": "default", ...effect } };
  return { apiVersion: "kuma.io/v1alpha1", kind: "MeshTrafficPermission", metadata, spec };
}

export interface KumaRequest {
  readonly from: string;
  readonly to: KumaWorkload;
  readonly port: number;
}

export function kumaVerdict(permissions: readonly Permission[], request: KumaRequest): Verdict {
  const confs = permissions.filter((one) => !one.isShadow && selects(one, request)).flatMap((one) => one.confs);
  const matched = (effect: keyof Conf): boolean =>
    confs.some((conf) => conf[effect]?.some((entry) => matches(entry, request.from)) === true);
  if (matched("deny")) return "deny";
  return matched("allow") || matched("allowWithShadowDeny") ? "allow" : "deny";
}

function selects({ namespace, labels, section }: Permission, { to, port }: KumaRequest): boolean {
  // A resource of a namespace other than the system's selects the proxies of its own namespace alone.
  if (namespace !== undefined && namespace !== "kuma-system" && namespace !== to.namespace) return false;
  if (labels !== undefined && Object.entries(labels).some(([key, value]) => to.labels[key] !== value)) return false;
  return section === undefined || to.namedPorts[section] === port;
}

/** Requests here name no server. */
function matches({ spiffeID, sni }: Entry, from: string): boolean {
  if (sni !== undefined) return false;
  if (spiffeID === undefined) return true;
  return spiffeID.type === "Exact" ? from === spiffeID.value : from.startsWith(spiffeID.value);
}
