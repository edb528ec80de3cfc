import { type DraftPolicy, type DraftProtects, type DraftRule, MESH_NAMESPACE } from "../draft/draft.ts";
import { everyRequest, GRPC_BY_SERVICE } from "../draft/everything.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { openByDefault } from "../draft/open-by-default.ts";
import type { Say } from "../draft/say.ts";
import { type KnownWorkload, type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import { isRecord, kindOf, readForeignYaml } from "../foreign-yaml.ts";
import type { Importer } from "../importer.ts";
import { reportOf } from "../report.ts";
import { egressDenies } from "./egress.ts";
import { labelMaps, selectorMatches } from "./label-selector.ts";
import { type NetworkPolicy, type PeerRule, readNetworkPolicy } from "./network-policy.ts";
import { callersOfRule } from "./peers.ts";
import { portsOfRule } from "./ports.ts";

/** Kubernetes NetworkPolicies (networking.k8s.io/v1); Namespaces beside them tell their labels. */
export const importKubernetes: Importer = (texts, options) => {
  const notes = new Notes();
  const policies: NetworkPolicy[] = [];
  const namespaces = new Map(Object.entries(options.namespaces ?? {}));
  for (const document of readForeignYaml(texts)) {
    const { kind, metadata } = isRecord(document.value) ? document.value : {};
    if (kind === "NetworkPolicy") policies.push(readNetworkPolicy(document, options.namespace ?? "default"));
    else if (kind === "Namespace" && isRecord(metadata))
      namespaces.set(String(metadata.name), textsOf(metadata.labels));
    else
      notes.add(
        document.at([]),
        kindOf(document.value),
        "unsupported",
        "only NetworkPolicy and Namespace are read; the document is left out",
      );
  }
  const world = worldOf({ ...options, namespaces: Object.fromEntries(namespaces) });
  const names = new Names();
  const drafts = policies.flatMap((policy) => draftsOf(policy, world, names, notes));
  const open = openByDefault(
    {
      construct: "no NetworkPolicy selects the pod for ingress",
      place: policies[0]?.place ?? { file: texts[0]?.path ?? "", line: 1, column: 1 },
      prefix: "kubernetes",
      isClosed: (workload) => policies.some((policy) => policy.ingress !== undefined && selects(policy, workload)),
    },
    world,
    names,
    notes,
  );
  const egress = egressDenies(policies, world, names, notes);
  return { documents: writeDocuments([...drafts, ...open, ...egress], world), report: reportOf(notes.entries) };
};

function textsOf(labels: unknown): Readonly<Record<string, string>> {
  return isRecord(labels) ? Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)])) : {};
}

function selects({ namespace, pods }: NetworkPolicy, workload: KnownWorkload): boolean {
  return workload.namespace === namespace && selectorMatches(pods, workload.labels);
}

function draftsOf(policy: NetworkPolicy, world: World, names: Names, notes: Notes): readonly DraftPolicy[] {
  const { namespace, name, ingress, place } = policy;
  if (ingress === undefined) return [];
  const construct = `NetworkPolicy ${namespace}/${name}`;
  if (ingress.length === 0)
    notes.add(place, construct, "exact", "selected without a rule: nothing is allowed, as by default here");
  const protectedOnes = world.workloads.filter((workload) => selects(policy, workload));
  const allow = ingress.flatMap((rule, index) =>
    ruleOf(rule, index, { policy, construct, protectedOnes, world, notes }),
  );
  return protections(policy).map(({ protects, home }) => ({
    namespace: home,
    name: names.take(home === MESH_NAMESPACE ? `${namespace}-${name}` : name),
    protects,
    allow,
    deny: [],
  }));
}

interface RuleContext {
  readonly policy: NetworkPolicy;
  readonly construct: string;
  readonly protectedOnes: readonly KnownWorkload[];
  readonly world: World;
  readonly notes: Notes;
}

function ruleOf(
  rule: PeerRule,
  index: number,
  { policy, construct, protectedOnes, world, notes }: RuleContext,
): readonly DraftRule[] {
  const what = `${construct}: ingress[${index}]`;
  const before = notes.entries.length;
  const say: Say = (fidelity, reason, scope) =>
    notes.add(rule.place, what, fidelity, reason, scope === undefined ? {} : { scope });
  const ports = portsOfRule(rule, protectedOnes, say);
  const from = callersOfRule(rule, policy.namespace, world, say);
  say("narrower", GRPC_BY_SERVICE, "grpc");
  if (!notes.entries.slice(before).some(({ scope }) => scope === undefined))
    say("exact", "every connection but those of the scopes named gets the source's verdict");
  if (from.length === 0 || (ports !== "any" && ports.length === 0)) return [];
  const limits = ports === "any" ? {} : { ports };
  return [{ name: `ingress-${index + 1}`, from, requests: everyRequest(world), ...limits }];
}

function protections({
  namespace,
  pods,
}: NetworkPolicy): readonly { readonly home: string; readonly protects: DraftProtects }[] {
  if (pods.length === 0) return [{ home: MESH_NAMESPACE, protects: { namespaces: [namespace] } }];
  return labelMaps(pods).map((labels) => ({ home: namespace, protects: { labels } }));
}
