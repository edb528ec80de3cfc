import type { Call, ForeignCall, Listen, Workload, WorkloadName } from "../../policies/index.ts";
import { cluster, httpOptions, KEEPALIVE } from "./cluster.ts";
import { configError } from "./config-error.ts";
import { type BindEndpoint, connectionManager, listener } from "./connection-manager.ts";
import type { Part, RenderContext } from "./context.ts";
import { hostEndpoint, isLocal, listenerAddress, parseEndpoint } from "./endpoint.ts";
import type { JsonObject } from "./json.ts";
import { tcpProxy } from "./tcp-listener.ts";
import { type Peer, peerTls } from "./tls.ts";

/** What a call leads to. */
interface Callee {
  readonly workload: Peer;
  readonly address: string;
  readonly listen: Pick<Listen, "protocol" | "upgrades">;
}

/** The listener for one declared call: plain towards the local app, mTLS towards the callee, and nobody but the callee. */
export function outboundListener(context: RenderContext, call: Call): Part {
  const name = `to_${call.workload.namespace}_${call.workload.name}_${call.port}`;
  return outbound(context, name, call, calleeOf(context, call));
}

/** The same for a call to a workload of a federated trust domain. */
export function foreignOutboundListener(context: RenderContext, call: ForeignCall): Part {
  const { identity, address, protocol, port } = call;
  const name = `to_${identity.trustDomain}${identity.path.replaceAll("/", "_")}_${port}`;
  const workload = { identity, name: "peer", namespace: "foreign" };
  return outbound(context, name, call, { workload, address, listen: { protocol, upgrades: [] } });
}

function outbound(context: RenderContext, name: string, call: Call | ForeignCall, callee: Callee): Part {
  const filter =
    callee.listen.protocol === "tcp" ? tcpProxy(name, name, "IMMEDIATE") : httpManager(name, callee.listen);
  const address = listenerAddress(localEndpoint(call));
  return {
    listeners: [listener({ name, address, filters: [filter] })],
    clusters: [peerCluster(context, name, callee, call.port)],
  };
}

function httpManager(name: string, listen: Callee["listen"]): JsonObject {
  return connectionManager({
    name,
    headers: { removes: "sidecar", keep: [], identity: "none" },
    upgrades: listen.upgrades,
    filters: [],
    routes: [
      {
        match: { prefix: "/" },
        route: {
          cluster: name,
          timeout: "0s",
          // Only what cannot have reached the callee is sent again.
          retry_policy: { retry_on: "connect-failure,refused-stream", num_retries: 2 },
        },
      },
    ],
    forwarding: { use_remote_address: false, forward_client_cert_details: "SANITIZE" },
  });
}

function peerCluster(
  context: RenderContext,
  name: string,
  { workload, address, listen }: Callee,
  port: number,
): JsonObject {
  const http = listen.protocol === "http";
  const protocol = {
    http2_protocol_options: {
      connection_keepalive: KEEPALIVE,
      ...(listen.upgrades.length > 0 ? { allow_connect: true } : {}),
    },
  };
  // Bounded: a callee shows its certificate anew at least this often.
  const age = { idle_timeout: "300s", max_connection_duration: "900s" };
  return cluster(name, hostEndpoint(address, port), {
    connectTimeout: "5s",
    more: {
      ...(http ? httpOptions(protocol, age) : {}),
      transport_socket: peerTls(context.set, workload, http ? ["h2"] : []),
    },
  });
}

function calleeOf({ set }: RenderContext, call: Call): Callee {
  const workload = set.workloads.find((one) => isNamed(one, call.workload));
  const named = `${call.workload.namespace}/${call.workload.name}`;
  if (workload === undefined) {
    throw configError(call.span, `no workload \`${named}\` is registered`, "register it, or remove the call");
  }
  if (workload.sidecar === undefined) {
    throw configError(
      call.span,
      `the workload \`${named}\` has no \`sidecar\`, so nothing says where it is reached`,
      "give it a `sidecar` with `address` and `listens`",
    );
  }
  const listen = workload.sidecar.listens.find(({ port }) => port === call.port);
  if (listen === undefined) {
    const ports = workload.sidecar.listens.map(({ port }) => port).join(", ") || "none";
    throw configError(
      call.span,
      `the workload \`${named}\` does not listen on port ${call.port}`,
      `its ports: ${ports}`,
    );
  }
  if (listen.clients === "public") {
    throw configError(
      call.span,
      `port ${call.port} of \`${named}\` is a public listener, where no caller has an identity`,
      "call a listener with `clients: mesh`",
    );
  }
  return { workload, address: workload.sidecar.address, listen };
}

function isNamed(workload: Workload, { namespace, name }: WorkloadName): boolean {
  return workload.namespace === namespace && workload.name === name;
}

// SECURITY: whoever reaches this listener speaks with the workload's identity, so it is never bound to the network.
function localEndpoint(call: Pick<Call, "local" | "span">): BindEndpoint {
  const endpoint = parseEndpoint(call.local, call.span);
  if (endpoint.kind !== "name" && isLocal(endpoint)) return endpoint;
  throw configError(
    call.span,
    `\`${call.local}\` is not local: whoever reached it would speak with this workload's identity`,
    "use a unix socket (unix:/path) or a loopback address (127.0.0.1:port)",
  );
}
