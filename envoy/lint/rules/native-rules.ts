import { type HttpIngress, httpIngress, type LintContext, type Look } from "../lint-context.ts";
import type { FilterView } from "../listener-view.ts";
import { at, type ConfigNode, entries, find, flag, items, text, walk } from "../tree.ts";

/** Envoy's own RBAC rules, enforced or as the fast path before authorization. */
export const nativeRuleLooks: readonly Look[] = [
  (context) => {
    for (const ingress of httpIngress(context)) {
      for (const filter of ingress.http.filters.filter(({ type }) => type === "RBAC")) {
        for (const look of [policies, tree]) look(context, ingress, filter);
      }
      undefaulted(context, ingress);
    }
  },
];

function policies(context: LintContext, ingress: HttpIngress, filter: FilterView): void {
  for (const key of ["rules", "shadow_rules"]) {
    const rules = at(filter.config, key);
    const denies = ["DENY", "1"].includes(text(at(rules, "action")) ?? "ALLOW");
    const fast = key === "shadow_rules" && isGate(ingress, filter);
    for (const { key: name, value } of entries(at(rules, "policies"))) {
      const one: Policy = { context, scope: ingress.scope, name, node: value, denies, fast };
      for (const look of [paths, headers, principals, conditions]) look(one);
      if (fast && !denies && hasUpgrades(ingress) && !mentions(value, "upgrade"))
        context.report("rbac-admits-upgrades", { node: value, scope: ingress.scope, detail: `policy \`${name}\`` });
    }
  }
}

interface Policy {
  readonly context: LintContext;
  readonly scope: string;
  readonly name: string;
  readonly node: ConfigNode;
  readonly denies: boolean;
  /** Whether what it allows is not asked about. */
  readonly fast: boolean;
}

/** Whether what the filter finds decides if authorization is asked at all. */
function isGate({ http }: HttpIngress, filter: FilterView): boolean {
  return http.filters.some(
    ({ type, config }) =>
      type === "ExtAuthz" &&
      [filter.name, "envoy.filters.http.rbac"].includes(text(at(config, "filter_enabled_metadata", "filter")) ?? ""),
  );
}

const GUARDED = [";", "%"];

function paths({ context, scope, name, node, denies, fast }: Policy): void {
  const permissions = at(node, "permissions");
  const nodes = [...walk(permissions)];
  const template = nodes.map((one) => at(one, "uri_template")).find((one) => one !== undefined);
  const detail = `policy \`${name}\``;
  if (denies && template !== undefined) context.report("rbac-uri-template", { node: template, scope, detail });
  const open = nodes.map(openPath).find((one) => one !== undefined);
  if (denies || open === undefined || isGuarded(nodes)) return;
  context.report("rbac-path-unguarded", { node: open, scope, detail, severity: fast ? "error" : "warning" });
}

/** A matcher of a path's beginning; of a `not_rule` it is a carve-out and no matter. */
function openPath(node: ConfigNode): ConfigNode | undefined {
  const path =
    at(node, "url_path", "path") ??
    (text(at(node, "name")) === ":path" ? (at(node, "string_match") ?? node) : undefined);
  return at(path, "prefix") ?? at(path, "safe_regex") ?? at(path, "prefix_match") ?? at(path, "safe_regex_match");
}

function isGuarded(nodes: readonly ConfigNode[]): boolean {
  const refused = nodes
    .flatMap((one) => [...walk(at(one, "not_rule") ?? at(one, "not_matcher"))])
    .flatMap((one) => text(at(one, "contains")) ?? []);
  return GUARDED.every((mark) => refused.includes(mark));
}

function headers({ context, scope, name, node }: Policy): void {
  for (const one of walk(at(node, "permissions"))) {
    const header = at(one, "header");
    if (header === undefined || text(at(header, "name"))?.startsWith(":") === true) continue;
    const regex = at(header, "string_match", "safe_regex") ?? at(header, "safe_regex_match");
    if (regex !== undefined) context.report("rbac-header-regex", { node: regex, scope, detail: `policy \`${name}\`` });
  }
}

/** A net that denies every other name admits nobody by itself. */
function principals({ context, scope, name, node }: Policy): void {
  const found = items(at(node, "principals"))
    .flatMap((one) => [...walkBut(one, "not_id")])
    .map((one) => at(one, "principal_name"));
  const principal = found.find((one) => one !== undefined);
  if (principal !== undefined)
    context.report("rbac-principal-name", { node: principal, scope, detail: `policy \`${name}\`` });
}

function* walkBut(node: ConfigNode, field: string): Generator<ConfigNode> {
  if (at(node, field) !== undefined) return;
  yield node;
  const below = node.kind === "map" ? node.entries.map(({ value }) => value) : node.kind === "seq" ? node.items : [];
  for (const one of below) yield* walkBut(one, field);
}

function conditions({ context, scope, name, node }: Policy): void {
  const detail = `policy \`${name}\``;
  const ignored = at(node, "checked_condition");
  if (ignored !== undefined) context.report("rbac-condition-ignored", { node: ignored, scope, detail });
  const condition = at(node, "condition");
  const onHeaders = [...walk(condition)].some((one) => text(at(one, "select_expr", "field")) === "headers");
  if (condition !== undefined && onHeaders)
    context.report("rbac-condition-headers", { node: condition, scope, detail });
}

function tree(context: LintContext, ingress: HttpIngress, filter: FilterView): void {
  const { scope } = ingress;
  for (const key of ["matcher", "shadow_matcher"]) {
    const matcher = at(filter.config, key);
    const fast = key === "shadow_matcher" && isGate(ingress, filter);
    const prefixes = find(matcher, "prefix_match_map");
    if (matcher === undefined || prefixes === undefined) continue;
    if (!isGuarded([...walk(matcher)]))
      context.report("rbac-path-unguarded", { node: prefixes, scope, severity: fast ? "error" : "warning" });
    if (fast && hasUpgrades(ingress) && !mentions(matcher, "upgrade"))
      context.report("rbac-admits-upgrades", { node: matcher, scope });
  }
}

function hasUpgrades({ http }: HttpIngress): boolean {
  return items(at(http.node, "upgrade_configs")).length > 0;
}

function mentions(node: ConfigNode, header: string): boolean {
  return [...walk(node)].some((one) =>
    [at(one, "name"), at(one, "header_name")].some((name) => text(name)?.toLowerCase() === header),
  );
}

function undefaulted(context: LintContext, { http, scope }: HttpIngress): void {
  for (const { node, name } of http.filters) {
    const discovery = at(node, "config_discovery");
    if (discovery === undefined || at(discovery, "default_config") !== undefined) continue;
    if (flag(at(node, "is_optional")) === true) continue;
    context.report("filter-without-default", { node: discovery, scope, detail: `filter \`${name}\`` });
  }
}
