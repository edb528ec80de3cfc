import type { DraftCaller } from "./draft.ts";
import type { World } from "./world.ts";

/** Entries that match every caller there can be. */
export function everyCaller({ foreign }: World): readonly DraftCaller[] {
  return [{ anyone: "authenticated" }, { anyone: "anonymous" }, ...foreign.map((trustDomain) => ({ trustDomain }))];
}

/** Lines of an allow that match every request and connection, but for gRPC calls of services that nobody named. */
export function everyRequest({ grpcServices, websocket }: World): readonly string[] {
  return [
    "ANY /**",
    ...grpcServices.map((service) => `grpc ${service}/*`),
    ...(websocket ? ["websocket /**"] : []),
    "tcp *",
  ];
}

/** Why a line for every path does not reach every gRPC call. */
export const GRPC_BY_SERVICE =
  "an allow names gRPC services; calls of services that neither the source nor the options name are denied";

/** Why a line for every path does not reach upgrades. */
export const UPGRADES_BY_LISTENER =
  "an allow names upgrades by their own line, written only where a registered listener upgrades";

/** The entry that matches the pods of one namespace: by identity where those follow it, else by name. */
export function callersOfNamespace(namespace: string, world: World): readonly DraftCaller[] {
  const prefix = `spiffe://${world.trustDomain}/ns/${namespace}/`;
  const byIdentity = world.workloads.every(
    (workload) => (workload.namespace === namespace) === workload.identity.startsWith(prefix),
  );
  if (byIdentity) return [{ spiffe: `${prefix}**` }];
  return world.workloads
    .filter((workload) => workload.namespace === namespace)
    .map(({ name }) => ({ workload: `${namespace}/${name}` }));
}
