import type { KnownWorkload, World } from "../draft/world.ts";

type Labels = Readonly<Record<string, string>>;

/** A workload with the labels that selectors see. */
export interface Endpoint {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Its own, and those that Calico gives every endpoint. */
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
}

/** What selectors see of a workload. Labels of its service account are not known. */
export function endpointOf({ namespace, name, serviceAccount = name, labels }: KnownWorkload, world: World): Endpoint {
  const namespaceLabels = {
    "projectcalico.org/name": namespace,
    "kubernetes.io/metadata.name": namespace,
    ...world.namespaces.get(namespace),
  };
  const ofNamespace = Object.entries(namespaceLabels).map(([key, value]) => [`pcns.${key}`, value]);
  return {
    namespace,
    serviceAccount,
    namespaceLabels,
    labels: {
      ...labels,
      ...Object.fromEntries(ofNamespace),
      "projectcalico.org/namespace": namespace,
      "projectcalico.org/serviceaccount": serviceAccount,
      "projectcalico.org/orchestrator": "k8s",
    },
  };
}
