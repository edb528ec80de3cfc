import { at, type ConfigNode, entries, flag, items, text, walk } from "./tree.ts";

/** The virtual hosts of a route configuration. */
export function virtualHosts(routes: ConfigNode | undefined): readonly ConfigNode[] {
  return items(at(routes, "virtual_hosts"));
}

/** All routes of a route configuration. */
export function allRoutes(routes: ConfigNode | undefined): readonly ConfigNode[] {
  return virtualHosts(routes).flatMap((host) => items(at(host, "routes")));
}

/** Whether a virtual host has a route that every request meets. */
export function hasCatchAll(host: ConfigNode): boolean {
  if (at(host, "matcher") !== undefined) return true;
  return items(at(host, "routes")).some((route) => {
    const match = at(route, "match");
    const prefix = text(at(match, "prefix"));
    return (prefix === "/" || prefix === "") && entries(match).every(({ key }) => UNCONDITIONAL.has(key));
  });
}

const UNCONDITIONAL: ReadonlySet<string> = new Set(["prefix", "case_sensitive", "caseSensitive"]);

/** Whether the listener lets literal paths through and nothing else: GET or HEAD, the whole `:path` compared. */
export function isProbesOnly(routes: ConfigNode | undefined): boolean {
  const all = allRoutes(routes);
  const leading = all.filter(
    (route) => at(route, "direct_response") === undefined && at(route, "redirect") === undefined,
  );
  return leading.length > 0 && leading.every((route) => isProbe(at(route, "match")));
}

function isProbe(match: ConfigNode | undefined): boolean {
  const header = (name: string) => items(at(match, "headers")).find((one) => text(at(one, "name")) === name);
  const method = at(header(":method"), "string_match");
  const methods = text(at(method, "exact")) ?? text(at(method, "safe_regex", "regex")) ?? "";
  return (
    at(match, "path") !== undefined &&
    at(header(":path"), "string_match", "exact") !== undefined &&
    /^(?:GET|HEAD)(?:\|(?:GET|HEAD))*$/.test(methods)
  );
}

/** One filter's configuration for a part of the routes. */
export interface PerRoute {
  readonly filter: string;
  /** The `typed_per_filter_config` value. */
  readonly config: ConfigNode;
}

/** Every `typed_per_filter_config` entry of a route configuration, at any level. */
export function perRoutes(routes: ConfigNode | undefined): readonly PerRoute[] {
  return [...walk(routes)].flatMap((node) =>
    entries(at(node, "typed_per_filter_config")).map(({ key, value }) => ({ filter: key, config: value })),
  );
}

/** The part of a per-route configuration that switches the filter off; undefined where it does not. */
export function exemption({ config }: PerRoute): ConfigNode | undefined {
  return flag(at(config, "disabled")) === true ? config : undefined;
}
