import { stringify } from "yaml";

// The documents of a mesh in short form, as a test's first lines say them. Whatever is not of the short form is written as the language calls it.

type Labels = Readonly<Record<string, unknown>>;
type AsWritten = Readonly<Record<string, unknown>>;

/** A port of a workload's sidecar: HTTP to `app.sock` of the mesh's folder where nothing else is said. */
export interface ListenInShort extends AsWritten {
  readonly port: number;
}

/** A workload of namespace `shop`; one without sidecar, node and mode enforces. */
export interface WorkloadInShort {
  readonly labels?: Labels;
  readonly mode?: "enforce" | "monitor";
  readonly identity?: string;
  readonly runsOn?: AsWritten;
  /** Of its sidecar; the workload's name where it is left out. */
  readonly address?: string;
  readonly listens?: readonly ListenInShort[];
  /** Names of workloads of this mesh; each is called on its first port, over `to-<name>.sock` of the mesh's folder. */
  readonly calls?: readonly string[];
}

/** A rule; `from` is a workload's name or a selector, and left out in denials of everybody. */
export interface RuleInShort extends AsWritten {
  readonly from?: string | AsWritten;
  readonly requests: readonly string[];
}

/** A policy of namespace `shop`; it protects the workload of its own name where nothing else is said. */
export interface PolicyInShort {
  readonly protects?: AsWritten;
  /** By the rules' names. */
  readonly allow?: Readonly<Record<string, RuleInShort>>;
  readonly deny?: Readonly<Record<string, RuleInShort>>;
}

/** A mesh; nodes, workloads and policies by their names. */
export interface MeshInShort {
  readonly trustDomain?: string;
  /** Further fields of the mesh's `spec`. */
  readonly mesh?: AsWritten;
  /** Where sockets are; `startTestMesh` puts its own in place of them. */
  readonly folder?: string;
  readonly namespace?: string;
  /** They join by token. */
  readonly nodes?: Readonly<Record<string, { readonly labels?: Labels }>>;
  readonly workloads: Readonly<Record<string, WorkloadInShort>>;
  readonly policies?: Readonly<Record<string, PolicyInShort>>;
}

/** The text of a mesh: every document that the short form says, in its order. */
export function meshDocuments(mesh: MeshInShort): string {
  const { namespace = "shop", nodes = {}, policies = {}, trustDomain = "test.example", workloads } = mesh;
  const documents = [
    document("Mesh", { name: "test" }, { trustDomain, defaultMode: "enforce", ...mesh.mesh }),
    ...Object.entries(nodes).map(([name, { labels }]) =>
      document("Node", { name, labels }, { attest: [{ joinToken: {} }] }),
    ),
    ...Object.entries(workloads).map(([name, short]) => workload(name, namespace, short, mesh)),
    ...Object.entries(policies).map(([name, short]) => policy(name, namespace, short)),
  ];
  return documents.join("---\n");
}

/** The text of one workload, which another file of the mesh may hold. */
export function workloadDocument(name: string, short: Omit<WorkloadInShort, "calls"> = {}): string {
  return workload(name, "shop", short, { workloads: {} });
}

function workload(name: string, namespace: string, short: WorkloadInShort, mesh: MeshInShort): string {
  const { address, calls, identity, labels, listens, mode, runsOn } = short;
  const { folder = "/x" } = mesh;
  const sidecar = {
    address: address ?? name,
    listens: listens?.map((one) => ({ app: `unix:${folder}/app.sock`, protocol: "http", ...one })),
    calls: calls?.map((to) => ({ workload: to, port: portOf(to, mesh), local: `unix:${folder}/to-${to}.sock` })),
  };
  const given = { mode, identity, runsOn, sidecar: listens === undefined && calls === undefined ? undefined : sidecar };
  const isBare = Object.values(given).every((field) => field === undefined);
  return document("Workload", { name, namespace, labels }, isBare ? { mode: "enforce" } : given);
}

function portOf(name: string, { workloads }: MeshInShort): number {
  const [first] = workloads[name]?.listens ?? [];
  if (first === undefined) throw new Error(`no port of \`${name}\` can be called`);
  return first.port;
}

function policy(name: string, namespace: string, { allow, deny, protects }: PolicyInShort): string {
  const spec = { protects: protects ?? { workload: name }, allow: rules(allow), deny: rules(deny) };
  return document("AccessPolicy", { name, namespace }, spec);
}

function rules(byName: Readonly<Record<string, RuleInShort>> | undefined): readonly object[] | undefined {
  if (byName === undefined) return undefined;
  return Object.entries(byName).map(([name, { from, ...rest }]) => {
    const selector = typeof from === "string" ? { workload: from } : from;
    return { name, ...(selector === undefined ? {} : { from: [selector] }), ...rest };
  });
}

function document(kind: string, metadata: AsWritten, spec: AsWritten): string {
  return stringify(
    { apiVersion: "cellwall.dev/v1", kind, metadata, spec },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}
