import { AUTHZ_CLUSTER } from "../../config/cluster.ts";
import { httpAuthorization, listenerContext } from "../../config/ext-authz.ts";
import { serialRemoval } from "../../config/header-floor.ts";
import type { JsonObject } from "../../config/json.ts";
import { agentClusters, strayClusters } from "../agent-clusters.ts";
import { add, type Edit, set } from "../edit.ts";
import { type HttpIngress, httpIngress, type LintContext, type Look } from "../lint-context.ts";
import type { HttpView } from "../listener-view.ts";
import { authorizationOf, isOwn, kindOf, toldContext } from "../own.ts";
import { hasCatchAll, isProbesOnly, perRoutes, virtualHosts } from "../routes-view.ts";
import { at, type ConfigNode, entries, flag, items, number, text } from "../tree.ts";

const FILTER = "envoy.filters.http.ext_authz";

/** Whether every HTTP listener asks for authorization, of every request. */
export const authorizationLooks: readonly Look[] = [presence, agentSockets, switches, exemptions, catchAll];

function presence(context: LintContext): void {
  for (const ingress of httpIngress(context)) {
    const { http, scope } = ingress;
    const found = authorizationOf(http.filters, context);
    if (found.length > 0) {
      if (found.some(isOwn)) told(context, ingress);
      continue;
    }
    if (isProbesOnly(http.routes)) context.report("unauthorized-paths", { node: http.routes ?? http.node, scope });
    else
      context.report("no-authorization", {
        node: at(http.node, "http_filters") ?? http.node,
        scope,
        edits: authorize(context, ingress),
      });
  }
}

/** The agent must hear which listener a request came in on. */
function told(context: LintContext, ingress: HttpIngress): void {
  const { http, scope, chain } = ingress;
  const { kind, port } = toldContext(http);
  const wanted = { kind: kindOf(chain, context), port: String(portOf(ingress)) };
  const fits = context.own ? kind === wanted.kind && port === wanted.port : kind !== undefined;
  if (fits || http.routes === undefined) return;
  const words = {
    title: "the agent is not told which listener this is",
    why: "it takes headers that are kept from it for absent, and has only the certificates to go by",
    remedy: "tell it in the routes' `context_extensions`",
  };
  context.report("no-authorization", { node: http.routes, scope, ...words, edits: tell(context, ingress) });
}

function portOf({ chain }: HttpIngress): number {
  return chain.listener.port ?? (chain.tls === undefined ? 80 : 443);
}

function authorize(context: LintContext, ingress: HttpIngress): readonly Edit[] {
  const { envoyVersion, withheld } = context.target;
  const { filters, node, routes } = ingress.http;
  const filter = httpAuthorization({
    envoyVersion,
    // SECURITY: routes tell the agent what is withheld; where they come from elsewhere nothing is, or it would look absent.
    withheld: routes === undefined ? [] : withheld,
    tokens: filters.some(({ type }) => type === "JwtAuthentication"),
  });
  const own = { ...filter, name: filterName(ingress.http) };
  const last = filters.findIndex(({ type }) => type === "Router");
  return [
    ...add(node, "http_filters", [own, serialRemoval()], last === -1 ? filters.length : last),
    ...tell(context, ingress),
    ...agentClusters(context),
  ];
}

/** Another authorization filter of the listener may have the usual name, and routes speak of filters by their names. */
function filterName({ filters }: HttpView): string {
  const own = filters.find((filter) => filter.type === "ExtAuthz" && isOwn(filter));
  if (own !== undefined) return own.name;
  return filters.some(({ name }) => name === FILTER) ? AUTHZ_CLUSTER : FILTER;
}

function tell({ target }: LintContext, ingress: HttpIngress, context = { target }): readonly Edit[] {
  const { routes } = ingress.http;
  if (routes === undefined) return [];
  const perFilter = listenerContext(kindOf(ingress.chain, context), portOf(ingress), target.withheld)[FILTER] ?? {};
  return set(routes, ["typed_per_filter_config", filterName(ingress.http)], perFilter);
}

/** Envoy must ask the agent of this workload, where it is now. */
function agentSockets(context: LintContext): void {
  if (!context.own) return;
  for (const { node, name, edits } of strayClusters(context)) {
    const words = {
      title: "it does not lead to the workload's socket",
      why: "another workload's policies decide, or nobody answers",
      remedy: "set its path",
    };
    context.report("no-authorization", { node, scope: `cluster \`${name}\``, ...words, edits });
  }
}

function switches(context: LintContext): void {
  for (const { http, scope } of httpIngress(context)) {
    for (const filter of authorizationOf(http.filters, { own: false })) {
      const { node, config } = filter;
      const where = { scope, node: config };
      if (flag(at(node, "disabled")) === true)
        context.report("authorization-disabled", {
          ...where,
          node: at(node, "disabled") ?? node,
          edits: set(node, ["disabled"], false),
        });
      if (flag(at(config, "shadow_mode")) === true)
        context.report("authorization-shadowed", {
          scope,
          node: at(config, "shadow_mode") ?? config,
          edits: set(config, ["shadow_mode"], false),
        });
      sampled(context, config, scope);
      gated(context, config, scope);
    }
  }
}

const ALWAYS: JsonObject = { default_value: { numerator: 100, denominator: "HUNDRED" } };
const DENOMINATORS: ReadonlyMap<string, number> = new Map([
  ["HUNDRED", 100],
  ["TEN_THOUSAND", 10_000],
  ["MILLION", 1_000_000],
]);

function sampled(context: LintContext, config: ConfigNode, scope: string): void {
  const enabled = at(config, "filter_enabled");
  if (enabled === undefined) return;
  const whole = DENOMINATORS.get(text(at(enabled, "default_value", "denominator")) ?? "HUNDRED") ?? 100;
  const full = (number(at(enabled, "default_value", "numerator")) ?? 0) >= whole;
  const denies = flag(at(config, "deny_at_disable", "default_value")) === true;
  if ((full && at(enabled, "runtime_key") === undefined) || denies) return;
  context.report("authorization-sampled", { node: enabled, scope, edits: set(config, ["filter_enabled"], ALWAYS) });
}

function gated(context: LintContext, config: ConfigNode, scope: string): void {
  const gate = at(config, "filter_enabled_metadata");
  if (gate === undefined || flag(at(gate, "invert")) === true) return;
  if (flag(at(config, "deny_at_disable", "default_value")) === true) return;
  context.report("authorization-gated", { node: gate, scope });
}

function exemptions(context: LintContext): void {
  for (const { http, scope } of httpIngress(context)) {
    const names = new Map(authorizationOf(http.filters, { own: false }).map((one) => [one.name, one]));
    for (const { filter, config } of perRoutes(http.routes)) {
      if (!names.has(filter) && !/ExtAuthzPerRoute$/.test(text(at(config, "@type")) ?? "")) continue;
      exempt(context, config, scope);
      const service = at(config, "check_settings", "grpc_service") ?? at(config, "check_settings", "http_service");
      if (service !== undefined) context.report("route-authorization-service", { node: service, scope });
    }
  }
}

function exempt(context: LintContext, config: ConfigNode, scope: string): void {
  const disabled = at(config, "disabled");
  if (disabled === undefined || flag(disabled) !== true) return;
  const wrapper = /FilterConfig$/.test(text(at(config, "@type")) ?? "");
  const edits: readonly Edit[] = wrapper
    ? set(config, ["disabled"], false)
    : [{ kind: "exchange", map: config, old: "disabled", key: "check_settings", value: {} }];
  context.report("route-authorization-disabled", { node: disabled, scope, edits });
}

const NOT_FOUND: JsonObject = { match: { prefix: "/" }, direct_response: { status: 404 } };

function catchAll(context: LintContext): void {
  for (const { http, scope } of httpIngress(context)) {
    const { routes } = http;
    const hosts = virtualHosts(routes);
    if (routes === undefined || at(routes, "vhds") !== undefined) continue;
    for (const host of hosts.filter((one) => !hasCatchAll(one))) {
      const detail = `virtual host \`${text(at(host, "name")) ?? ""}\``;
      context.report("no-catch-all-route", { node: host, scope, detail, edits: add(host, "routes", [NOT_FOUND]) });
    }
    if (hosts.some((host) => items(at(host, "domains")).some((domain) => text(domain) === "*"))) continue;
    const fallback = { name: "any_other_host", domains: ["*"], routes: [NOT_FOUND] };
    context.report("no-catch-all-route", {
      node: routes,
      scope,
      detail: 'no virtual host for `"*"`',
      edits: entries(routes).length === 0 ? [] : add(routes, "virtual_hosts", [fallback]),
    });
  }
}
