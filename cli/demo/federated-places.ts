import { basename, join } from "node:path";
import { stringify } from "yaml";
import { meshSides } from "../../compose/index.ts";
import { parseDocuments, resolve, type Workload } from "../../policies/index.ts";
import { loopbackAddresses } from "../local-mesh/index.ts";
import type { PolicyText } from "../policy-folder.ts";
import { documentsOf } from "./start-stage.ts";

const ENDPOINT_PORT = 8443;
/** The file about the other trust domain, among the documents and among the places: without it, there is no other one. */
const PARTNERS_FILE = "partners.yaml";

/** One of the two trust domains as local processes: its documents, and where its parts are to be. */
export interface LocalSide {
  readonly namespace: string;
  readonly trustDomain: string;
  readonly documents: readonly PolicyText[];
  readonly workloads: readonly Workload[];
  /** All that it has on disk. */
  readonly folder: string;
  /** Loopback address and port of its bundle endpoint. */
  readonly endpoint: string;
}

/** The two sides, and the loopback address of every workload, by `<namespace>/<name>`: they call each other. */
export interface FederatedPlan {
  readonly sides: readonly LocalSide[];
  readonly addresses: ReadonlyMap<string, string>;
}

/** Gives every workload and bundle endpoint of the two sides an address of one block. */
export async function planFederated(folder: string): Promise<FederatedPlan> {
  const read = meshSides("federated").map((side) => {
    const documents = documentsOf(side);
    const { mesh, workloads } = resolve(parseDocuments(documents).documents);
    const { namespace } = side;
    return { namespace, trustDomain: mesh.trustDomain, documents, workloads, folder: join(folder, namespace) };
  });
  const workloads = read.flatMap((side) => side.workloads);
  const free = await loopbackAddresses(workloads.length + read.length);
  return {
    sides: read.map((side, index) => ({ ...side, endpoint: `${free[workloads.length + index]}:${ENDPOINT_PORT}` })),
    addresses: new Map(workloads.map(({ namespace, name }, index) => [`${namespace}/${name}`, free[index] ?? ""])),
  };
}

/** The places that a side starts with: its bundle endpoint, and where its apps find the other side's workloads. */
export function placesOf(side: LocalSide, plan: FederatedPlan): readonly PolicyText[] {
  const bundleEndpoint = { listen: side.endpoint, profile: "https_spiffe" };
  const mesh = document("Mesh", { name: side.namespace }, { bundleEndpoint });
  return [textOf("endpoint.yaml", [mesh]), partnersOf(side, plan)];
}

/** What goes in the partners' file of the places; with `bundle`, the other side's bundle to begin with. */
export function partnersOf(side: LocalSide, plan: FederatedPlan, bundle?: string): PolicyText {
  const partner = plan.sides.find((each) => each.namespace !== side.namespace);
  const calls = foreignCallsOf(side, plan);
  if (partner === undefined || bundle === undefined) return textOf(PARTNERS_FILE, calls);
  const entry = {
    trustDomain: partner.trustDomain,
    endpoint: {
      url: `https://${partner.endpoint}/`,
      profile: "https_spiffe",
      spiffeId: `spiffe://${partner.trustDomain}/cellwall/authority`,
    },
    bundle: { inline: bundle },
  };
  const mesh = document("Mesh", { name: side.namespace }, { federation: [entry] });
  return textOf(PARTNERS_FILE, [mesh, ...calls]);
}

/** Whether a file is about the other trust domain. */
export function isOfPartners({ path }: PolicyText): boolean {
  return basename(path) === PARTNERS_FILE;
}

/** The documents' foreign calls, to addresses of this host and from sockets of the demo. */
function foreignCallsOf({ workloads, folder }: LocalSide, { addresses }: FederatedPlan): readonly object[] {
  return workloads.flatMap(({ namespace, name, sidecar }) => {
    if (sidecar?.foreignCalls === undefined) return [];
    const foreignCalls = sidecar.foreignCalls.map(({ identity, port, protocol }) => {
      const callee = identity.path.slice(1);
      const local = `unix:${join(folder, `${name}-to-${callee.replace("/", ".")}.sock`)}`;
      return { spiffe: identity.toString(), address: addresses.get(callee), port, local, protocol };
    });
    return [document("Workload", { name, namespace }, { sidecar: { foreignCalls } })];
  });
}

function document(kind: string, metadata: object, spec: object): object {
  return { apiVersion: "cellwall.dev/v1", kind, metadata, spec };
}

function textOf(path: string, documents: readonly object[]): PolicyText {
  return { path, text: documents.map((each) => stringify(each)).join("---\n") };
}
