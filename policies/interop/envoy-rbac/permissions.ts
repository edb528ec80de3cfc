import { isEverything } from "../../match/pattern.ts";
import { grpcPattern } from "../../match/request-line.ts";
import type { RequestLine, Rule } from "../../model/index.ts";
import { escapeRegex, pathRegex } from "./path-regex.ts";

/** A permission of Envoy's RBAC filter, as JSON. */
export type Permission = Readonly<Record<string, unknown>>;

export const ANY: Permission = { any: true };

/** All of them. */
export const every = (rules: readonly Permission[]): Permission =>
  rules.length === 1 ? (rules[0] ?? ANY) : { and_rules: { rules } };
/** One of them. */
export const some = (rules: readonly Permission[]): Permission =>
  rules.length === 1 ? (rules[0] ?? ANY) : { or_rules: { rules } };
/** It not. */
export const not = (rule: Permission): Permission => ({ not_rule: rule });

const header = (name: string, match: Readonly<Record<string, unknown>>): Permission => ({ header: { name, ...match } });
const matching = (name: string, regex: string): Permission => header(name, { string_match: { safe_regex: { regex } } });
const present = (name: string): Permission => header(name, { present_match: true });

/** The path without its query. */
export const path = (regex: string): Permission => ({ url_path: { path: { safe_regex: { regex } } } });

/** A POST that someone may take for gRPC. */
const MAYBE_GRPC = every([matching(":method", "POST"), matching("content-type", "(?i).*application/grpc.*")]);
const SURELY_GRPC = every([matching(":method", "POST"), matching("content-type", "application/grpc(?:[+;].*)?")]);

/** What a line matches of HTTP; absent for a line of connections. */
export function linePermission(line: RequestLine, effect: Rule["effect"]): Permission | undefined {
  return effect === "allow" ? allowPermission(line) : denyPermission(line);
}

function allowPermission(line: RequestLine): Permission | undefined {
  switch (line.kind) {
    case "http":
      return every([
        ...methodRules(line.methods, false),
        path(pathRegex(line.path, "allow")),
        not(present("upgrade")),
        not(MAYBE_GRPC),
      ]);
    case "grpc":
      return every([SURELY_GRPC, path(pathRegex(grpcPattern(line), "allow")), not(present("upgrade"))]);
    case "websocket":
      return every([
        matching(":method", "GET|CONNECT"),
        matching("upgrade", "(?i)websocket"),
        path(pathRegex(line.path, "allow")),
      ]);
    case "tcp":
      return undefined;
  }
}

function denyPermission(line: RequestLine): Permission | undefined {
  switch (line.kind) {
    case "http":
      return every([
        ...methodRules(line.methods, true),
        ...(isEverything(line.path) ? [] : [path(pathRegex(line.path, "deny"))]),
        ANY,
      ]);
    case "grpc":
      return path(pathRegex(grpcPattern(line), "deny"));
    case "websocket":
      return every([present("upgrade"), path(pathRegex(line.path, "deny"))]);
    case "tcp":
      return undefined;
  }
}

function methodRules(methods: readonly string[] | "ANY", withHead: boolean): readonly Permission[] {
  if (methods === "ANY") return [];
  const names = withHead && methods.includes("GET") ? [...new Set([...methods, "HEAD"])] : methods;
  return [matching(":method", names.map(escapeRegex).join("|"))];
}

/** A rule's hosts: in any case, with any port. */
export function hostsPermission(hosts: readonly string[]): Permission {
  return matching(":authority", `(?i)(?:${hosts.map(escapeRegex).join("|")})\\.?(?::[0-9]+)?`);
}

/** A rule's listener ports. */
export function portsPermission(ports: readonly number[]): Permission {
  return some(ports.map((port) => ({ destination_port: port })));
}
