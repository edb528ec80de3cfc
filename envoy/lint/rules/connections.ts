import { connectionAuthorization } from "../../config/ext-authz.ts";
import { supports } from "../../config/feature.ts";
import { agentClusters } from "../agent-clusters.ts";
import { add, type Edit, set } from "../edit.ts";
import { chains, type LintContext, type Look, scopeOf } from "../lint-context.ts";
import type { ChainView, FilterView } from "../listener-view.ts";
import { authorizationOf } from "../own.ts";
import { isAdmittedByHandshake } from "../tls-view.ts";
import { at, seconds, text } from "../tree.ts";

/** TCP listeners: when a connection is authorized, and how long it may last. */
export const connectionLooks: readonly Look[] = [
  (context) => {
    for (const chain of chains(context.view, "ingress")) {
      const proxy = chain.filters.findIndex(({ type }) => type === "TcpProxy");
      const filter = chain.filters[proxy];
      if (chain.http !== undefined || filter === undefined) continue;
      authorized(context, chain, proxy);
      banner(context, chain, filter);
      bounded(context, chain, filter);
    }
  },
];

function authorized(context: LintContext, chain: ChainView, proxy: number): void {
  if (authorizationOf(chain.filters, context).length > 0) return;
  if (isAdmittedByHandshake(chain.tls)) return;
  const filter = connectionAuthorization(chain.listener.name || "tcp", chain.tls !== undefined);
  const edits: readonly Edit[] = [...add(chain.node, "filters", [filter], proxy), ...agentClusters(context)];
  context.report("no-connection-authorization", {
    node: at(chain.node, "filters") ?? chain.node,
    scope: scopeOf(chain),
    edits,
  });
}

function banner(context: LintContext, chain: ChainView, { config }: FilterView): void {
  const decides = chain.filters.some(({ type }) => type === "ExtAuthz" || type === "RBAC");
  const mode = at(config, "upstream_connect_mode");
  const deferred =
    text(mode) === "ON_DOWNSTREAM_DATA" ||
    (text(mode) === "ON_DOWNSTREAM_TLS_HANDSHAKE" && isAdmittedByHandshake(chain.tls));
  if (!decides || deferred) return;
  const can = supports(context.target.envoyVersion, "deferredConnect");
  const edits = [
    ...set(config, ["upstream_connect_mode"], "ON_DOWNSTREAM_DATA"),
    ...(at(config, "max_early_data_bytes") === undefined ? set(config, ["max_early_data_bytes"], 16_384) : []),
  ];
  context.report("banner-before-authorization", {
    node: mode ?? config,
    scope: scopeOf(chain),
    ...(can ? { edits } : {}),
  });
}

function bounded(context: LintContext, chain: ChainView, { config }: FilterView): void {
  const lasts = (seconds(at(config, "max_downstream_connection_duration")) ?? 0) > 0;
  const idle = seconds(at(config, "idle_timeout")) !== 0;
  if (lasts && idle) return;
  const edits = [
    ...(lasts ? [] : set(config, ["max_downstream_connection_duration"], "3600s")),
    ...(idle ? [] : set(config, ["idle_timeout"], "600s")),
  ];
  context.report("unbounded-connections", { node: config, scope: scopeOf(chain), edits });
}
