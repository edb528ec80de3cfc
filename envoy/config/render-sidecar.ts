import type { Listen, PolicySet, Sidecar, Workload } from "../../policies/index.ts";
import type { EnvoyVersion } from "../binary/index.ts";
import { EnvoyError } from "../envoy-error.ts";
import { AUTHZ_CLUSTER, agentCluster, ENVOY_CLUSTER, identityClusters } from "./cluster.ts";
import { configError } from "./config-error.ts";
import { bindAddressOf, joined, type Part, type RenderContext } from "./context.ts";
import { requireSupported } from "./feature.ts";
import { httpListener } from "./http-listener.ts";
import type { JsonObject } from "./json.ts";
import { tokenClusters } from "./jwt.ts";
import { admin, overloadManager } from "./limits.ts";
import { foreignOutboundListener, outboundListener } from "./outbound.ts";
import { probesListener } from "./probes.ts";
import { tcpListener } from "./tcp-listener.ts";

/** A bootstrap of Envoy as an object for `JSON.stringify`; equal input gives equal text. */
export type SidecarBootstrap = JsonObject;

/** What a sidecar is rendered from. */
export interface RenderInput {
  readonly workload: Workload;
  /** The set in force: the callees of `calls`, the trust domains, the token providers. */
  readonly set: PolicySet;
  readonly envoyVersion: EnvoyVersion;
  /** Paths of the agent's unix sockets for this workload. */
  readonly sockets: { readonly authz: string; readonly envoy: string };
  /** Path of the admin interface's unix socket; left out, there is no admin interface. */
  readonly adminSocket?: string;
  /** IP address for inbound listeners; default: `sidecar.address` where that is one, else 0.0.0.0. */
  readonly bindAddress?: string;
  /** File with the system's root certificates, for token providers whose keys are fetched. */
  readonly systemRoots?: string;
}

const DEBIAN_ROOTS = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Renders the Envoy configuration of a workload's sidecar: its inbound listeners, the listeners of its declared calls, probes.
 * Throws `ERR_ENVOY_CONFIG` for what cannot be rendered and `ERR_ENVOY_TOO_OLD` for what this version cannot do safely.
 */
export function renderSidecar(input: RenderInput): SidecarBootstrap {
  requireSupported(input.envoyVersion);
  const sidecar = sidecarOf(input.workload);
  requireDistinctPorts(input.workload, sidecar);
  const context: RenderContext = {
    workload: input.workload,
    sidecar,
    set: input.set,
    envoyVersion: input.envoyVersion,
    bind: input.bindAddress ?? bindAddressOf(sidecar),
  };
  const { listeners, clusters } = joined(partsOf(context));
  return {
    node: { id: `${input.workload.namespace}/${input.workload.name}`, cluster: "cellwall" },
    ...(input.adminSocket === undefined ? {} : { admin: admin(input.adminSocket, input.envoyVersion) }),
    overload_manager: overloadManager(),
    static_resources: {
      listeners,
      clusters: [
        ...clusters,
        ...tokenClusters(input.set, input.systemRoots ?? DEBIAN_ROOTS),
        agentCluster(AUTHZ_CLUSTER, input.sockets.authz),
        agentCluster(ENVOY_CLUSTER, input.sockets.envoy),
        ...ownCertificate(context),
      ],
    },
  };
}

/** Where another authority issues the certificates: its socket, which only the mesh's own TLS needs. */
function ownCertificate({ set, workload, sidecar }: RenderContext): readonly JsonObject[] {
  const { identity } = set.mesh;
  if (identity === undefined || identity.certificates !== undefined) return identityClusters(set.mesh);
  const calls = sidecar.calls.length + (sidecar.foreignCalls?.length ?? 0);
  if (calls === 0 && sidecar.listens.every(({ clients }) => clients === "public")) return [];
  throw configError(
    workload.span,
    "another authority issues the certificates, and nothing says where generated sidecars find theirs",
    "add `certificates: { sds: unix:/… }` to the Mesh's `identity`, or bring an Envoy configuration of your own",
  );
}

function partsOf(context: RenderContext): readonly Part[] {
  return [
    ...context.sidecar.listens.map((listen) => inboundListener(context, listen)),
    probesListener(context),
    ...context.sidecar.calls.map((call) => outboundListener(context, call)),
    ...(context.sidecar.foreignCalls ?? []).map((call) => foreignOutboundListener(context, call)),
  ];
}

function inboundListener(context: RenderContext, listen: Listen): Part {
  switch (listen.protocol) {
    case "http":
      return httpListener(context, listen);
    case "tcp":
      return tcpListener(context, listen);
  }
}

function sidecarOf(workload: Workload): Sidecar {
  if (workload.sidecar !== undefined) return workload.sidecar;
  throw configError(
    workload.span,
    `the workload \`${workload.namespace}/${workload.name}\` has no \`sidecar\` to render`,
    "give it a `sidecar`, or make an Envoy configuration of your own its sidecar with `cellwall envoy patch`",
  );
}

function requireDistinctPorts(workload: Workload, sidecar: Sidecar): void {
  const ports = [...sidecar.listens.map(({ port }) => port), ...(sidecar.probes ? [sidecar.probes.port] : [])];
  const foreign = sidecar.foreignCalls ?? [];
  const calls = [
    ...sidecar.calls.map((call) => `${call.workload.namespace}/${call.workload.name}:${call.port}`),
    ...foreign.map((call) => `${call.identity}:${call.port}`),
  ];
  const locals = [...sidecar.calls, ...foreign].map(({ local }) => local);
  const twice = repeated(ports) ?? repeated(calls) ?? repeated(locals);
  if (twice === undefined) return;
  throw new EnvoyError(
    "ERR_ENVOY_CONFIG",
    `${workload.span.file}:${workload.span.line}:${workload.span.column}: \`${twice}\` is in the sidecar twice`,
    { hint: "give each listener, each call and each call's `local` once" },
  );
}

function repeated<Value>(values: readonly Value[]): Value | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}
