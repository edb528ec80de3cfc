import { nearest } from "../diagnostics/nearest.ts";
import type { Span, Workload } from "../model/index.ts";
import type { Findings } from "./findings.ts";
import { selects } from "./labels.ts";
import type { Registry } from "./registry.ts";
import { nameOf, type ResolvedWorkload } from "./workload.ts";

/** Checks what workloads say of one another, of nodes and of themselves. */
export function checkWorkloads(registry: Registry, findings: Findings): void {
  checkIdentities(registry, findings);
  checkUids(registry, findings);
  for (const resolved of registry.resolved) {
    checkPlace(resolved, registry, findings);
    checkIsolation(resolved, registry, findings);
    checkPorts(resolved, findings);
    checkSockets(resolved, findings);
    checkCalls(resolved, registry, findings);
    checkForeignCalls(resolved, registry, findings);
  }
}

function place({ file, line, column }: Span): string {
  return `${file}:${line}:${column}`;
}

function checkIdentities({ resolved }: Registry, findings: Findings): void {
  const first = new Map<string, Workload>();
  for (const { workload, spec } of resolved) {
    const text = workload.identity.toString();
    const other = first.get(text);
    if (other === undefined) first.set(text, workload);
    else
      findings.report(
        "ERR_POLICY_DUPLICATE_IDENTITY",
        spec.identity?.span ?? workload.span,
        `\`${text}\` is the identity of \`${nameOf(other)}\` already`,
        `see ${place(other.span)}; each workload has its own`,
      );
  }
}

/** SECURITY: whoever has a workload's uid can open its sockets, and so is that workload. */
function checkUids({ resolved }: Registry, findings: Findings): void {
  const first = new Map<number, { readonly name: string; readonly shared: boolean }>();
  for (const { workload, spec } of resolved) {
    for (const { socket } of spec.attest?.value ?? []) {
      if (socket === undefined) continue;
      const shared = socket.sharedUid?.value ?? false;
      const other = first.get(socket.uid.value);
      if (other === undefined) first.set(socket.uid.value, { name: nameOf(workload), shared });
      else if (!(other.shared && shared))
        findings.report(
          "ERR_POLICY_DUPLICATE_UID",
          socket.uid.span,
          `\`${other.name}\` has the uid ${socket.uid.value} already`,
          "give each a uid, or say `sharedUid: true` on both: processes of one uid can be one another",
        );
    }
  }
}

function checkPlace({ spec }: ResolvedWorkload, { nodes }: Registry, findings: Findings): void {
  const { labels, node } = spec.runsOn ?? {};
  if (node !== undefined && !nodes.some(({ name }) => name === node.value)) {
    const close = nearest(
      node.value,
      nodes.map(({ name }) => name),
    );
    findings.report(
      "ERR_POLICY_UNKNOWN_NODE",
      node.span,
      `there is no node \`${node.value}\``,
      close && `did you mean \`${close}\`?`,
    );
  }
  if (labels === undefined) return;
  const selector = new Map(labels.value.map(({ key, value }) => [key.text, value.value]));
  if (!nodes.some((one) => selects(selector, one.labels)))
    findings.report(
      "WARN_POLICY_MATCHES_NOTHING",
      labels.span,
      "no node has these labels, so no agent can obtain this identity",
      "label a Node, or leave `runsOn` out for `cellwall up`",
    );
}

function checkIsolation({ workload }: ResolvedWorkload, { mesh }: Registry, findings: Findings): void {
  for (const key of mesh.isolate) {
    if (!workload.labels.has(key))
      findings.report(
        "WARN_POLICY_NO_ISOLATION_LABEL",
        workload.span,
        `\`${nameOf(workload)}\` has no label \`${key}\`, so it is isolated from everyone`,
        `add \`${key}\` to its labels`,
      );
  }
}

function checkPorts({ spec }: ResolvedWorkload, findings: Findings): void {
  const taken = new Map<number, Span>();
  const { listens, probes } = spec.sidecar ?? {};
  const ports = [...(listens?.value ?? []).map(({ port }) => port), ...(probes === undefined ? [] : [probes.port])];
  for (const { value, span } of ports) {
    const first = taken.get(value);
    if (first === undefined) taken.set(value, span);
    else
      findings.report("ERR_POLICY_DUPLICATE_PORT", span, `the port ${value} is taken already`, `see ${place(first)}`);
  }
}

/** The application's own addresses and those at which it finds others must not meet: a call would come back to itself. */
function checkSockets({ spec }: ResolvedWorkload, findings: Findings): void {
  const taken = new Map<string, Span>();
  for (const { app } of spec.sidecar?.listens?.value ?? []) if (!taken.has(app.value)) taken.set(app.value, app.span);
  const { calls, foreignCalls } = spec.sidecar ?? {};
  for (const { local } of [...(calls?.value ?? []), ...(foreignCalls?.value ?? [])]) {
    const first = taken.get(local.value);
    if (first === undefined) taken.set(local.value, local.span);
    else
      findings.report(
        "ERR_POLICY_DUPLICATE_SOCKET",
        local.span,
        `\`${local.value}\` is taken already`,
        `see ${place(first)}`,
      );
  }
}

function checkCalls({ workload, spec }: ResolvedWorkload, registry: Registry, findings: Findings): void {
  const seen = new Set<string>();
  for (const call of spec.sidecar?.calls?.value ?? []) {
    const target = registry.find(call.workload.value, workload.namespace, call.workload.span);
    if (target === undefined) continue;
    const name = nameOf(target);
    if (seen.has(`${name}:${call.port.value}`))
      findings.report(
        "ERR_POLICY_CONFLICT",
        call.span,
        `\`${name}\` at ${call.port.value} is called a second time`,
        "remove one of the two",
      );
    seen.add(`${name}:${call.port.value}`);
    checkTarget(target, call.port.value, call.port.span, findings);
  }
}

function checkForeignCalls({ spec }: ResolvedWorkload, { mesh, meshKnown }: Registry, findings: Findings): void {
  if (!meshKnown) return;
  for (const { spiffe } of spec.sidecar?.foreignCalls?.value ?? []) {
    const { trustDomain } = spiffe.value;
    if (mesh.federated.includes(trustDomain)) continue;
    const own = trustDomain === mesh.trustDomain;
    findings.report(
      "ERR_POLICY_NOT_FEDERATED",
      spiffe.span,
      own ? `\`${spiffe.value}\` is of the own trust domain` : `\`${trustDomain}\` is not federated`,
      own ? "name the workload under `calls`" : `add \`- trustDomain: ${trustDomain}\` to \`federation\` of the Mesh`,
    );
  }
}

function checkTarget({ namespace, name, sidecar }: Workload, port: number, span: Span, findings: Findings): void {
  const shown = `${namespace}/${name}`;
  if (sidecar === undefined) {
    findings.report(
      "ERR_POLICY_UNKNOWN_PORT",
      span,
      `\`${shown}\` has no \`sidecar\`, so it has no address to call`,
      "give it one",
    );
    return;
  }
  const listen = sidecar.listens.find((one) => one.port === port);
  const known = sidecar.listens.filter(({ clients }) => clients === "mesh").map((one) => one.port);
  const hint = known.length === 0 ? "it has no listener for the mesh" : `it listens on ${known.join(", ")}`;
  if (listen === undefined)
    findings.report("ERR_POLICY_UNKNOWN_PORT", span, `\`${shown}\` has no listener on port ${port}`, hint);
  else if (listen.clients === "public")
    findings.report(
      "ERR_POLICY_UNKNOWN_PORT",
      span,
      `port ${port} of \`${shown}\` is an edge listener, where every caller is anonymous`,
      hint,
    );
}
