import type { Json } from "../../config/json.ts";
import type { LintId } from "../catalogue/index.ts";
import { type Edit, set } from "../edit.ts";
import { chains, httpIngress, type LintContext, type Look, scopeOf } from "../lint-context.ts";
import { type FilterView, isLocal, upstreamTls } from "../listener-view.ts";
import { isOwn } from "../own.ts";
import { at, type ConfigNode, flag, items, number, seconds, text, walk } from "../tree.ts";

/** How an authorization filter is set. */
export const authorizationSettingsLooks: readonly Look[] = [settings, controlClusters];

interface Filter {
  readonly filter: FilterView;
  readonly config: ConfigNode;
  readonly scope: string;
  readonly http: boolean;
  /** Whether the routes, which tell the agent what is withheld, are in the text. */
  readonly told: boolean;
}

function settings(context: LintContext): void {
  for (const { http, scope } of httpIngress(context)) {
    for (const filter of http.filters.filter(({ type }) => type === "ExtAuthz")) {
      const one = { filter, config: filter.config, scope, http: true, told: http.routes !== undefined };
      for (const look of [failures, service, answers, request]) look(context, one);
    }
  }
  for (const chain of chains(context.view, "ingress")) {
    for (const filter of chain.filters.filter(({ type }) => type === "ExtAuthz")) {
      const one = { filter, config: filter.config, scope: scopeOf(chain), http: false, told: false };
      for (const look of [failures, service]) look(context, one);
    }
  }
}

function failures(context: LintContext, { config, scope, http }: Filter): void {
  const must = required(context, config, scope);
  const allow = at(config, "failure_mode_allow");
  if (flag(allow) === true)
    context.report("failure-mode-allow", {
      node: allow ?? config,
      scope,
      edits: set(config, ["failure_mode_allow"], false),
    });
  if (!http) return;
  must("outage-looks-like-denial", at(config, "status_on_error", "code") !== undefined, ["status_on_error"], {
    code: "ServiceUnavailable",
  });
  const clears = at(config, "clear_route_cache");
  if (flag(clears) === true)
    context.report("route-cache-cleared", {
      node: clears ?? config,
      scope,
      edits: set(config, ["clear_route_cache"], false),
    });
}

/** Reports where a condition does not hold, mended by one field. */
function required(context: LintContext, config: ConfigNode, scope: string) {
  return (id: LintId, holds: boolean, path: readonly string[], value: Json): void => {
    if (!holds) context.report(id, { node: config, scope, edits: set(config, path, value) });
  };
}

const SHORTEST_TRY_SECONDS = 0.05;

function service(context: LintContext, { config, scope }: Filter): void {
  const http = at(config, "http_service");
  if (http !== undefined) context.report("http-authorization-service", { node: http, scope });
  const grpc = at(config, "grpc_service");
  if (grpc === undefined) return;
  if (at(grpc, "timeout") === undefined)
    context.report("check-deadline", { node: grpc, scope, edits: set(grpc, ["timeout"], "0.25s") });
  const ignored = at(grpc, "envoy_grpc", "retry_policy");
  if (ignored !== undefined) context.report("check-retry-ignored", { node: ignored, scope });
  const backOff = at(grpc, "retry_policy", "retry_back_off");
  const deadline = seconds(at(backOff, "max_interval")) ?? (seconds(at(backOff, "base_interval")) ?? 1) * 10;
  if (backOff !== undefined && deadline < SHORTEST_TRY_SECONDS)
    context.report("check-retry-deadline", { node: backOff, scope, edits: set(backOff, ["max_interval"], "0.12s") });
}

/** What the server's answer may do. Only the agent's answers are known: of another server the user must say what it needs. */
function answers(context: LintContext, { filter, config, scope }: Filter): void {
  const must = required(context, config, scope);
  must(
    "denials-charged-to-app",
    flag(at(config, "charge_cluster_response_stats")) === false,
    ["charge_cluster_response_stats"],
    false,
  );
  must(
    "denial-body-unbounded",
    (number(at(config, "max_denied_response_body_bytes")) ?? 0) > 0,
    ["max_denied_response_body_bytes"],
    4096,
  );
  must("mutations-unvalidated", flag(at(config, "validate_mutations")) === true, ["validate_mutations"], true);
  const rules = at(config, "decoder_header_mutation_rules");
  if (flag(at(rules, "disallow_all")) === true || flag(at(rules, "disallow_system")) === true) return;
  const floor = { disallow_all: true, allow_expression: { regex: "^x-cellwall-[a-z-]+$" }, disallow_is_error: true };
  context.report("unrestricted-mutations", {
    node: rules ?? config,
    scope,
    ...(isOwn(filter) ? { edits: set(config, ["decoder_header_mutation_rules"], floor) } : {}),
  });
}

const SECRETS = ["authorization", "cookie", "proxy-authorization"];

/** What the server gets of the request. */
function request(context: LintContext, { filter, config, scope, told }: Filter): void {
  const own = (edits: readonly Edit[]) => (isOwn(filter) ? { edits } : {});
  if (flag(at(config, "encode_raw_headers")) !== true)
    context.report("joined-headers", { node: config, scope, ...own(set(config, ["encode_raw_headers"], true)) });
  const body = at(config, "with_request_body");
  if (flag(at(body, "allow_partial_message")) === true) context.report("partial-body", { node: body ?? config, scope });
  else if (body !== undefined) context.report("body-buffered", { node: body, scope });
  const kept = items(at(config, "disallowed_headers", "patterns")).flatMap(
    (one) => text(at(one, "exact"))?.toLowerCase() ?? [],
  );
  if (context.own && isOwn(filter) && !told) {
    untold(context, config, { scope, kept });
    return;
  }
  const withheld = isOwn(filter) ? context.target.withheld : SECRETS;
  const missing = withheld.filter((name) => !kept.includes(name));
  if (missing.length === 0 || at(config, "allowed_headers") !== undefined) return;
  context.report("secrets-to-authorization", {
    node: at(config, "disallowed_headers") ?? config,
    scope,
    detail: missing.map((name) => `\`${name}\``).join(", "),
    ...own(set(config, ["disallowed_headers"], { patterns: withheld.map((exact) => ({ exact })) })),
  });
}

/** SECURITY: a header that is kept from the agent without its being told looks absent to the rules. */
function untold(
  context: LintContext,
  config: ConfigNode,
  { scope, kept }: { readonly scope: string; readonly kept: readonly string[] },
): void {
  if (kept.length === 0) return;
  context.report("no-authorization", {
    node: at(config, "disallowed_headers") ?? config,
    scope,
    title: "headers are kept from the agent, and no route in the text tells it so",
    why: "they look absent to the rules",
    remedy: "send them",
    edits: set(config, ["disallowed_headers"], { patterns: [] }),
  });
}

/** Clusters that decisions and secrets come from. */
function controlClusters(context: LintContext): void {
  const { view } = context;
  const roots = [
    ...view.listeners.map(({ node }) => node),
    ...view.clusters.values(),
    at(view.bootstrap, "dynamic_resources"),
  ];
  const names = new Set(roots.flatMap((root) => [...walk(root)].flatMap((node) => controlName(node))));
  for (const name of names) {
    const cluster = view.clusters.get(name);
    if (cluster === undefined || upstreamTls(cluster) !== undefined || endpoints(cluster).every(isLocal)) continue;
    context.report("control-cluster-exposed", { node: cluster, scope: `cluster \`${name}\`` });
  }
}

/** An access log's service is nobody whom Envoy obeys. */
function controlName(node: ConfigNode): readonly string[] {
  const services = [
    ...items(at(node, "grpc_services")),
    ...(at(node, "log_name") ? [] : items(at(node, "grpc_service"))),
  ];
  const http = text(at(node, "http_service", "server_uri", "cluster"));
  const names = services.flatMap((one) => text(at(one, "envoy_grpc", "cluster_name")) ?? []);
  return http === undefined ? names : [...names, http];
}

function endpoints(cluster: ConfigNode): readonly ConfigNode[] {
  return [...walk(at(cluster, "load_assignment"))]
    .flatMap((node) => at(node, "address") ?? [])
    .filter((node) => node.kind === "map");
}
