import { AUTHZ_CLUSTER } from "../config/cluster.ts";
import { CONTEXT } from "../wire/context-extensions.ts";
import type { LintContext } from "./lint-context.ts";
import type { ChainView, FilterView, HttpView } from "./listener-view.ts";
import { perRoutes } from "./routes-view.ts";
import { at, flag, text } from "./tree.ts";

/** Whether a filter asks Cellwall's agent. */
export function isOwn({ config }: FilterView): boolean {
  return text(at(config, "grpc_service", "envoy_grpc", "cluster_name")) === AUTHZ_CLUSTER;
}

/** The authorization filters that count: any, or, for a patch, those that ask the agent. */
export function authorizationOf(
  filters: readonly FilterView[],
  { own }: Pick<LintContext, "own">,
): readonly FilterView[] {
  return filters.filter((filter) => filter.type === "ExtAuthz" && (!own || isOwn(filter)));
}

/** Which kind of listener the agent is to be told: `mesh` where every caller shows a certificate. */
export function kindOf({ tls }: ChainView, { target }: Pick<LintContext, "target">): "mesh" | "edge" {
  if (tls === undefined) return target.mtls ? "mesh" : "edge";
  return flag(at(tls, "require_client_certificate")) === true ? "mesh" : "edge";
}

/** What the routes tell the agent: kind and port of the listener. */
export function toldContext({ routes }: HttpView): {
  readonly kind: string | undefined;
  readonly port: string | undefined;
} {
  const told = perRoutes(routes).map(({ config }) => at(config, "check_settings", "context_extensions"));
  const value = (key: string) => told.map((one) => text(at(one, key))).find((one) => one !== undefined);
  return { kind: value(CONTEXT.listener), port: value(CONTEXT.port) };
}
