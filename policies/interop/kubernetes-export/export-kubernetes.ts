import { stringify } from "yaml";
import { compile } from "../../compile/compile.ts";
import { decide } from "../../decide/decide.ts";
import type { WitnessRequest } from "../../findings/finding.ts";
import { attributesOf } from "../../findings/witness.ts";
import type { AccessPolicy, PolicySet, Rule, Workload } from "../../model/index.ts";
import { Notes } from "../draft/notes.ts";
import { isRegistered, ownLabels, registeredCallers } from "../export/select.ts";
import type { Exporter } from "../exporter.ts";
import { reportOf, type SourcePlace } from "../report.ts";

/**
 * Kubernetes NetworkPolicies: who may connect to which ports, beneath the rules on requests. Every namespace is closed
 * first. What is finer than a connection comes out wider, with a request that shows it.
 */
export const exportKubernetes: Exporter = (set, { workload: wanted, now = new Date(0) }) => {
  const notes = new Notes();
  const workloads = set.workloads.filter(
    ({ namespace, name }) => wanted === undefined || wanted === `${namespace}/${name}`,
  );
  const closed = [...new Set(workloads.map(({ namespace }) => namespace))].map((namespace) =>
    document("default-deny", namespace, { podSelector: {}, policyTypes: ["Ingress"] }),
  );
  const policies = workloads.flatMap((workload) => policiesOf(workload, set, { notes, shows: witnessOf(set, now) }));
  const text = [...closed, ...policies]
    .map((one) => stringify(one, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join("---\n");
  return { text, report: reportOf(notes.entries) };
};

function document(name: string, namespace: string, spec: unknown): unknown {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

/** A request of a caller that the policies deny, and that a connection lets through. */
type Shows = (from: Workload, to: Workload, port: number | undefined) => WitnessRequest | undefined;

const PROBES = ["GET /not-in-any-rule", "DELETE /not-in-any-rule/x", "POST /", "GET /"];

function witnessOf(set: PolicySet, now: Date): Shows {
  const index = compile(set);
  return (from, to, port) => {
    const found = PROBES.map((request) => ({
      from: `${from.namespace}/${from.name}`,
      to: `${to.namespace}/${to.name}`,
      request,
      address: "192.0.2.1",
      ...(port === undefined ? {} : { port }),
    }));
    return found.find((witness) => decide(index, attributesOf(witness, set, { now })).evaluated === "deny");
  };
}

interface Context {
  readonly notes: Notes;
  readonly shows: Shows;
}

function policiesOf(workload: Workload, set: PolicySet, { notes, shows }: Context): readonly unknown[] {
  const identity = workload.identity.toString();
  const protecting = set.policies.filter(
    ({ stage, destinations }) => stage === "live" && destinations.includes(identity),
  );
  const matchLabels = ownLabels(workload, set);
  if (protecting.length === 0) return [];
  if (matchLabels === undefined) {
    notes.add(
      workload.span,
      `Workload ${workload.namespace}/${workload.name}`,
      "unsupported",
      "its labels do not tell it from other workloads; nobody may connect to it",
    );
    return [];
  }
  for (const { namespace, name, deny, span } of protecting.filter((one) => one.deny.length > 0))
    notes.add(
      span,
      `${namespace}/${name}: deny`,
      "unsupported",
      `a NetworkPolicy only allows; what ${deny.length === 1 ? "one rule denies" : `${deny.length} rules deny`} is not denied`,
      { scope: "http" },
    );
  const ingress = protecting.flatMap((policy) =>
    policy.allow.flatMap((rule) => ingressOf(rule, policy, workload, set, { notes, shows })),
  );
  return ingress.length === 0
    ? []
    : [
        document(`cellwall-${workload.name}`, workload.namespace, {
          podSelector: { matchLabels },
          policyTypes: ["Ingress"],
          ingress,
        }),
      ];
}

function ingressOf(
  rule: Rule,
  policy: AccessPolicy,
  workload: Workload,
  set: PolicySet,
  { notes, shows }: Context,
): readonly unknown[] {
  const id = `${policy.namespace}/${policy.name}/${rule.name}`;
  const place: SourcePlace = { file: rule.span.file, line: rule.span.line, column: rule.span.column, path: id };
  const from = rule.from ?? [];
  const named = from.filter((one) => isRegistered(one, set));
  const blocks = from.flatMap(({ addresses, ...others }) =>
    addresses === undefined || Object.keys(others).some((key) => key !== "span")
      ? []
      : addresses.map(({ text }) => text),
  );
  if (named.length + from.filter(({ addresses }) => addresses !== undefined).length < from.length)
    notes.add(place, id, "unsupported", "callers that are no pods are told by address only; they are left out");
  const callers = registeredCallers(named, workload, set, rule.across);
  const selectors = callers.map((caller) => ({ caller, labels: ownLabels(caller, set) }));
  for (const { caller } of selectors.filter(({ labels }) => labels === undefined))
    notes.add(
      place,
      id,
      "unsupported",
      `labels of \`${caller.namespace}/${caller.name}\` do not tell it from other workloads; it is left out`,
    );
  const peers = [
    ...selectors.flatMap(({ caller, labels }) =>
      labels === undefined
        ? []
        : [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": caller.namespace } },
              podSelector: { matchLabels: labels },
            },
          ],
    ),
    ...blocks.map((cidr) => ({ ipBlock: { cidr } })),
  ];
  if (peers.length === 0) return [];
  const shown = selectors
    .filter(({ labels }) => labels !== undefined)
    .map(({ caller }) => shows(caller, workload, rule.ports?.[0]));
  const counterExample = shown.find((one) => one !== undefined);
  if (counterExample === undefined) notes.add(place, id, "exact", "who may connect, and to which ports");
  else
    notes.add(place, id, "wider", "a NetworkPolicy admits connections, whatever is requested in them", {
      counterExample,
    });
  const ports = rule.ports ?? portsOf(rule);
  return [{ from: peers, ...(ports === undefined ? {} : { ports: ports.map((port) => ({ protocol: "TCP", port })) }) }];
}

/** Ports of a rule that is about connections to some ports only. */
function portsOf({ requests }: Rule): readonly number[] | undefined {
  const ports = requests?.map((line) => (line.kind === "tcp" ? line.port : "*"));
  return ports === undefined || ports.includes("*") ? undefined : ports.flatMap((port) => (port === "*" ? [] : [port]));
}
