import { isSystemId, type SpiffeId, tryJoinSpiffeId } from "../../spiffe/index.ts";
import type { Call, Listen, Mesh, Sidecar, Span, Workload, WorkloadAttestation } from "../model/index.ts";
import type { MergedDocument } from "../syntax/document.ts";
import { type ListenSyntax, type SidecarSyntax, type WorkloadSyntax, workloadSpec } from "../syntax/kinds/workload.ts";
import { FAILED, type Reading } from "../syntax/readers.ts";
import { entryOf } from "../syntax/tree.ts";
import type { Findings } from "./findings.ts";
import { selectorOf } from "./labels.ts";
import type { ResolvedMesh } from "./mesh.ts";

/** A workload with its text, which later checks point into. */
export interface ResolvedWorkload {
  readonly workload: Workload;
  readonly spec: WorkloadSyntax;
}

/** Reads a merged Workload; undefined where it has errors. */
export function resolveWorkload(
  document: MergedDocument,
  mesh: ResolvedMesh,
  findings: Findings,
): ResolvedWorkload | undefined {
  const node = entryOf(document.tree, "spec")?.value;
  const reading: Reading = { found: [], partial: false };
  const spec = node === undefined ? FAILED : workloadSpec.read(node, reading);
  for (const one of reading.found) findings.add(one);
  if (node === undefined) findings.report("ERR_POLICY_MISSING_KEY", document.span, "the key `spec` is missing");
  if (spec === FAILED) return undefined;
  const identity = identityOf(document, spec, mesh, findings);
  return identity === undefined ? undefined : { workload: workloadOf(document, spec, identity, mesh.mesh), spec };
}

function identityOf(
  { namespace, name, span }: MergedDocument,
  { identity }: WorkloadSyntax,
  { mesh, known }: ResolvedMesh,
  findings: Findings,
): SpiffeId | undefined {
  const at = identity?.span ?? span;
  const implied = tryJoinSpiffeId(mesh.trustDomain, [namespace, name]);
  if (identity === undefined && !implied.ok) {
    findings.report("ERR_POLICY_IDENTITY", span, implied.message, "write its `identity` out");
    return undefined;
  }
  const id = identity?.value ?? (implied.ok ? implied.id : undefined);
  if (id === undefined) return undefined;
  if (known && id.trustDomain !== mesh.trustDomain) {
    findings.report(
      "ERR_POLICY_FOREIGN_IDENTITY",
      at,
      `\`${id}\` is not of the trust domain \`${mesh.trustDomain}\``,
      "a Workload has an identity of the own trust domain",
    );
    return undefined;
  }
  if (isSystemId(id)) {
    const hint =
      identity === undefined
        ? "write its `identity` out: the namespace `cellwall` implies one of the system"
        : "choose another path";
    findings.report("ERR_POLICY_SYSTEM_IDENTITY", at, `\`${id}\` belongs to the system`, hint);
    return undefined;
  }
  return id;
}

function workloadOf(document: MergedDocument, spec: WorkloadSyntax, identity: SpiffeId, mesh: Mesh): Workload {
  const { namespace, name, labels, span } = document;
  return {
    namespace,
    name,
    labels,
    identity,
    mode: spec.mode?.value ?? mesh.defaultMode,
    ...(spec.runsOn === undefined ? {} : { runsOn: placeOf(spec.runsOn) }),
    attest: (spec.attest?.value ?? []).flatMap(attestationOf),
    ...(spec.sidecar === undefined ? {} : { sidecar: sidecarOf(spec.sidecar, namespace) }),
    paths: {
      caseInsensitive: spec.paths?.caseInsensitive?.value ?? false,
      matrixParameters: spec.paths?.matrixParameters?.value ?? "reject",
    },
    span,
  };
}

function placeOf({ labels, node }: NonNullable<WorkloadSyntax["runsOn"]>): NonNullable<Workload["runsOn"]> {
  return labels === undefined ? { node: node?.value ?? "" } : { labels: selectorOf(labels) };
}

function attestationOf(entry: NonNullable<WorkloadSyntax["attest"]>["value"][number]): readonly WorkloadAttestation[] {
  const { socket, kubernetes } = entry;
  if (socket !== undefined)
    return [{ kind: "socket", uid: socket.uid.value, sharedUid: socket.sharedUid?.value ?? false }];
  if (kubernetes === undefined) return [];
  return [
    { kind: "kubernetes", namespace: kubernetes.namespace.value, serviceAccount: kubernetes.serviceAccount.value },
  ];
}

function sidecarOf(spec: SidecarSyntax, namespace: string): Sidecar {
  const { address, listens, calls, foreignCalls, probes, keepOverrideHeaders, checkHeaders } = spec;
  const texts = (list: typeof checkHeaders): readonly string[] => (list?.value ?? []).map(({ value }) => value);
  return {
    address: address.value,
    listens: (listens?.value ?? []).map(listenOf),
    calls: (calls?.value ?? []).map(
      (call): Call => ({
        workload: { namespace: call.workload.value.namespace ?? namespace, name: call.workload.value.name },
        port: call.port.value,
        local: call.local.value,
        span: call.span,
      }),
    ),
    ...(foreignCalls === undefined ? {} : { foreignCalls: foreignCalls.value.map(foreignCallOf) }),
    ...(probes === undefined ? {} : { probes: { port: probes.port.value, paths: texts(probes.paths) } }),
    keepOverrideHeaders: texts(keepOverrideHeaders),
    checkHeaders: texts(checkHeaders),
  };
}

function foreignCallOf(
  call: NonNullable<SidecarSyntax["foreignCalls"]>["value"][number],
): NonNullable<Sidecar["foreignCalls"]>[number] {
  const { spiffe, address, port, local, protocol, span } = call;
  return {
    identity: spiffe.value,
    address: address.value,
    port: port.value,
    local: local.value,
    protocol: protocol.value,
    span,
  };
}

function listenOf(spec: ListenSyntax): Listen {
  return {
    port: spec.port.value,
    app: spec.app.value,
    protocol: spec.protocol.value,
    ...(spec.appProtocol === undefined ? {} : { appProtocol: spec.appProtocol.value }),
    upgrades: (spec.upgrades?.value ?? []).map(({ value }) => value),
    speaksFirst: spec.speaksFirst?.value ?? "client",
    clients: spec.clients?.value ?? "mesh",
    ...(spec.serverCertificate === undefined ? {} : { serverCertificate: spec.serverCertificate.value }),
    span: spec.span,
  };
}

/** `<namespace>/<name>`, as references and messages write it. */
export function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** A place for findings about the whole workload. */
export function spanOf(resolved: ResolvedWorkload): Span {
  return resolved.workload.span;
}
