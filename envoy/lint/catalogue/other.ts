import type { LintRule } from "./rule.ts";

/** Kinds of findings about Envoy's own rules, tokens, TCP and the process itself. */
export const OTHER_RULES = {
  "rbac-path-unguarded": {
    severity: "warning",
    title: "an RBAC rule allows a path by its beginning, without guard",
    why: "`/a/%2e%2e;x/b` passes normalisation as `/a/..;x/b` on every version and begins with `/a/`; apps that strip parameters serve `/b`",
    remedy: "add that the path contains neither `;` nor `%`",
    advisories: ["GHSA-m745-gh6x-349x", "GHSA-2w8w-rfw7-8gg4", "CVE-2026-73511", "CVE-2026-73551"],
  },
  "rbac-uri-template": {
    severity: "error",
    title: "an RBAC denial by path template",
    why: "paths with `*` do not match the template, so the denial is missed",
    remedy: "deny by prefix or exact path",
    advisories: ["CVE-2025-46821"],
  },
  "rbac-header-regex": {
    severity: "warning",
    title: "an RBAC rule matches a header by regular expression",
    why: "values with bytes above 127 do not match, so a denial is missed; before 1.37.1 repeated values are matched as one text",
    remedy: "match exact values, or decide in the authorization server",
    advisories: ["CVE-2026-73552", "GHSA-23xh-2qxr-3xv8", "CVE-2026-26308", "GHSA-ghc4-35x6-crw5"],
  },
  "rbac-principal-name": {
    severity: "warning",
    title: "an RBAC rule names the caller by `principal_name`",
    why: "it matches any URI name of the certificate and DNS names as well, where authorization reports the first URI name",
    remedy:
      "have certificates with exactly one URI name, checked by the SPIFFE validator; or match `UriSanInput` in a matcher tree",
  },
  "rbac-condition-ignored": {
    severity: "error",
    title: "an RBAC condition that Envoy does not look at",
    why: "`checked_condition` is accepted and ignored by every version: the rule holds without it",
    remedy: "write it as `condition`",
  },
  "rbac-condition-headers": {
    severity: "warning",
    title: "an RBAC condition looks at headers",
    why: "expressions see repeated headers joined to one text: `a` and `b` are neither",
    remedy: "use header matchers, or decide in the authorization server",
    advisories: ["CVE-2026-26308"],
  },
  "rbac-admits-upgrades": {
    severity: "error",
    title: "the fast path admits upgraded connections",
    why: "extended CONNECT is rewritten to GET before the filters: a rule for GET admits the WebSocket unasked",
    remedy: "add to the rule that the header `upgrade` is absent",
  },
  "filter-without-default": {
    severity: "warning",
    title: "a filter that a server sends has no default",
    why: "until it comes the listener is not bound, or answers 500 to everything",
    remedy: "give `config_discovery` a `default_config` that asks for every request",
  },
  "token-in-query": {
    severity: "warning",
    title: "tokens are read from the query",
    why: "`?access_token=` stands in every log on the way",
    remedy: "set `from_headers` on the provider",
  },
  "token-audience-unchecked": {
    severity: "warning",
    title: "tokens for others are accepted",
    why: "a service that got a token shows it here as the user",
    remedy: "set `audiences` on the provider",
  },
  "tokens-after-authorization": {
    severity: "warning",
    title: "tokens are verified after authorization",
    why: "the authorization server decides without the verified claims",
    remedy: "put `jwt_authn` before `ext_authz`",
  },
  "token-failures-hidden": {
    severity: "warning",
    title: "a forged token looks like no token",
    why: "both leave no metadata where failures are let through",
    remedy: "set `failed_status_in_metadata` on the provider",
  },
  "banner-before-authorization": {
    severity: "error",
    title: "a TCP app is connected before the connection is authorized",
    why: "the app's greeting reaches a caller that is then denied, and one that stays silent is never checked",
    remedy:
      "set `upstream_connect_mode: ON_DOWNSTREAM_DATA` and `max_early_data_bytes` (Envoy 1.37); for apps that speak first, admit callers in the handshake",
  },
  "unbounded-connections": {
    severity: "warning",
    title: "TCP connections never end",
    why: "one is checked once: a revoked caller goes on for as long as it likes",
    remedy: "set `max_downstream_connection_duration` and `idle_timeout` on the TCP proxy",
  },
  "envoy-version": {
    severity: "error",
    title: "this Envoy has published authorization bypasses",
    why: "they need no mistake in the configuration",
    remedy: "use Envoy 1.36.10, 1.37.6, 1.38.4, 1.39.1 or 1.40.0, or newer",
    advisories: ["CVE-2026-73511", "CVE-2026-73547", "CVE-2026-73551", "CVE-2026-73552", "CVE-2026-73553"],
  },
  "runtime-guard-off": {
    severity: "error",
    title: "a security fix is switched off",
    why: "the runtime key brings the published hole back",
    remedy: "remove the key or set it to true",
    advisories: ["CVE-2026-26308", "CVE-2026-73511", "CVE-2026-73553", "CVE-2023-27488", "CVE-2021-32779"],
  },
  "admin-exposed": {
    severity: "error",
    title: "the admin interface is open to the network",
    why: "whoever reaches it reads all secrets' names and configuration, switches guards off and ends the process",
    remedy: "bind it to a unix socket with `mode: 0600`",
  },
  "admin-on-tcp": {
    severity: "warning",
    title: "every process of the host reaches the admin interface",
    why: "it has no authentication: any local user, or an app that can be made to fetch a URL, switches guards off or ends the process",
    remedy: "bind it to a unix socket with `mode: 0600`",
  },
  "admin-socket-open": {
    severity: "warning",
    title: "the admin interface's socket is not its owner's alone",
    why: "the mode is what the process' umask leaves, often open to the group or everybody",
    remedy: "set `mode: 0600` (384 in JSON)",
  },
  "no-overload-limit": {
    severity: "note",
    title: "nothing bounds connections and memory",
    why: "one caller that opens connections without end brings the sidecar down for all",
    remedy: "configure `overload_manager` with `global_downstream_max_connections` and `fixed_heap`",
  },
  "port-reusable": {
    severity: "note",
    title: "another process of the same user can bind the listener's port as well",
    why: "with port reuse the kernel gives it a share of the connections",
    remedy: "set `enable_reuse_port: false`",
  },
  "no-access-log": {
    severity: "note",
    title: "nobody hears of what the listener refuses by itself",
    why: "requests that are refused before authorization, and failed handshakes, leave no trace",
    remedy: "add an access log for listener and requests",
  },
  "secrets-in-access-log": {
    severity: "warning",
    title: "an access log writes down tokens or cookies",
    why: "whoever reads the log acts as the caller",
    remedy: "leave these headers out of the format",
  },
  "unseen-resources": {
    severity: "note",
    title: "parts of the configuration come from a server and are not in the text",
    why: "nothing can be said of them from here",
    remedy: "look at the running Envoy: `cellwall envoy lint http://127.0.0.1:<admin port>` or `unix:<admin socket>`",
  },
} as const satisfies Record<string, LintRule>;
