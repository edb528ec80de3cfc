import { COMMON_FLOOR, PATH_FLOOR, TIME_FLOOR } from "../../config/connection-manager.ts";
import type { Json } from "../../config/json.ts";
import type { LintId } from "../catalogue/index.ts";
import { set } from "../edit.ts";
import { type HttpIngress, httpIngress, type LintContext, type Look } from "../lint-context.ts";
import { allRoutes } from "../routes-view.ts";
import { at, type ConfigNode, flag, items, number, seconds, text } from "../tree.ts";

/** How requests are read: paths, frames, and how long they may take. */
export const requestLooks: readonly Look[] = [
  (context) => {
    for (const ingress of httpIngress(context)) {
      for (const look of [paths, hosts, frames, upgrades, times]) look(context, ingress);
    }
  },
];

interface Requirement {
  readonly id: LintId;
  readonly holds: boolean;
  /** What is shown; the manager where the field is not there. */
  readonly node?: ConfigNode | undefined;
  readonly path: readonly string[];
  readonly value: Json | undefined;
}

function require(context: LintContext, { http, scope }: HttpIngress, requirements: readonly Requirement[]): void {
  for (const { id, holds, node, path, value } of requirements) {
    if (holds) continue;
    const edits = value === undefined ? {} : { edits: set(http.node, path, value) };
    context.report(id, { node: node ?? http.node, scope, ...edits });
  }
}

const SAFE_SLASHES: ReadonlySet<string> = new Set(["REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "2", "3"]);

function paths(context: LintContext, ingress: HttpIngress): void {
  const { node, routes } = ingress.http;
  const field = (name: string) => at(node, name);
  const slashes = field("path_with_escaped_slashes_action");
  require(context, ingress, [
    floor("path-not-normalized", "normalize_path", flag(field("normalize_path")) === true, field("normalize_path")),
    floor("slashes-not-merged", "merge_slashes", flag(field("merge_slashes")) === true, field("merge_slashes")),
    floor("escaped-slashes-kept", "path_with_escaped_slashes_action", SAFE_SLASHES.has(text(slashes) ?? ""), slashes),
  ]);
  const ignores = at(routes, "ignore_path_parameters_in_path_matching");
  if (routes !== undefined && flag(ignores) === true)
    context.report("path-parameters-ignored", {
      node: ignores ?? routes,
      scope: ingress.scope,
      edits: set(routes, ["ignore_path_parameters_in_path_matching"], false),
    });
  for (const route of allRoutes(routes)) rewritten(context, ingress, at(route, "route"));
}

function floor(id: LintId, key: string, holds: boolean, node: ConfigNode | undefined): Requirement {
  return { id, holds, node, path: [key], value: PATH_FLOOR[key] };
}

function rewritten(context: LintContext, { scope }: HttpIngress, action: ConfigNode | undefined): void {
  const free = at(action, "regex_rewrite") ?? at(action, "path_rewrite_policy");
  const prefix = at(action, "prefix_rewrite") ?? at(action, "path_rewrite");
  if (free !== undefined) context.report("path-rewritten", { node: free, scope });
  else if (prefix !== undefined && text(prefix) !== "")
    context.report("path-rewritten", { node: prefix, scope, severity: "note", detail: `to \`${text(prefix) ?? ""}\`` });
}

function hosts(context: LintContext, ingress: HttpIngress): void {
  const { node } = ingress.http;
  const dot = flag(at(node, "strip_trailing_host_dot")) === true;
  const port = flag(at(node, "strip_any_host_port")) === true || flag(at(node, "strip_matching_host_port")) === true;
  if (dot && port) return;
  const { strip_trailing_host_dot = true, strip_any_host_port = true } = PATH_FLOOR;
  context.report("host-ambiguous", {
    node,
    scope: ingress.scope,
    edits: [
      ...(dot ? [] : set(node, ["strip_trailing_host_dot"], strip_trailing_host_dot)),
      ...(port ? [] : set(node, ["strip_any_host_port"], strip_any_host_port)),
    ],
  });
}

function frames(context: LintContext, ingress: HttpIngress): void {
  const { node } = ingress.http;
  const http1 = at(node, "http_protocol_options");
  const off = (id: LintId, ...path: readonly string[]): Requirement => {
    const value = at(node, ...path);
    return { id, holds: flag(value) !== true, node: value, path, value: false };
  };
  require(context, ingress, [
    off("chunked-length-allowed", "http_protocol_options", "allow_chunked_length"),
    off("custom-methods-allowed", "http_protocol_options", "allow_custom_methods"),
    off("invalid-messages-tolerated", "stream_error_on_invalid_http_message"),
    off("invalid-messages-tolerated", "http2_protocol_options", "override_stream_error_on_invalid_http_message"),
    off("invalid-messages-tolerated", "http_protocol_options", "override_stream_error_on_invalid_http_message"),
    {
      id: "unbounded-http2-streams",
      holds:
        text(at(node, "codec_type")) === "HTTP1" ||
        (number(at(node, "http2_protocol_options", "max_concurrent_streams")) ?? 0) > 0,
      node: http1,
      path: ["http2_protocol_options", "max_concurrent_streams"],
      value: 100,
    },
  ]);
}

function upgrades(context: LintContext, { http, scope }: HttpIngress): void {
  const listed = [
    ...items(at(http.node, "upgrade_configs")),
    ...allRoutes(http.routes).flatMap((route) => items(at(route, "route", "upgrade_configs"))),
  ];
  for (const config of listed) {
    const type = text(at(config, "upgrade_type")) ?? "";
    if (flag(at(config, "enabled")) === false) continue;
    const tunnel = /^connect/i.test(type);
    context.report("upgrades-enabled", {
      node: config,
      scope,
      detail: tunnel ? "CONNECT makes a tunnel to anywhere its route allows" : `\`${type}\``,
      severity: tunnel ? "error" : "note",
    });
  }
}

const COMMON = "common_http_protocol_options";

function times(context: LintContext, ingress: HttpIngress): void {
  const { node } = ingress.http;
  const common = at(node, COMMON);
  const idle = seconds(at(node, "stream_idle_timeout"));
  const unbounded = (key: string): Requirement => ({
    id: "unbounded-streams",
    holds: (seconds(at(common, key)) ?? 0) > 0,
    node: common,
    path: [COMMON, key],
    value: COMMON_FLOOR[key],
  });
  require(context, ingress, [
    unbounded("max_connection_duration"),
    unbounded("max_stream_duration"),
    {
      id: "slow-headers",
      holds: (seconds(at(node, "request_headers_timeout")) ?? 0) > 0,
      path: ["request_headers_timeout"],
      value: TIME_FLOOR.request_headers_timeout,
    },
    {
      id: "idle-streams-kept",
      holds: idle !== 0,
      node: at(node, "stream_idle_timeout"),
      path: ["stream_idle_timeout"],
      value: TIME_FLOOR.stream_idle_timeout,
    },
    {
      id: "late-drain",
      holds: (seconds(at(node, "drain_timeout")) ?? 5) < 5,
      path: ["drain_timeout"],
      value: TIME_FLOOR.drain_timeout,
    },
  ]);
}
