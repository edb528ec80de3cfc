import { type ForeignDocument, isRecord } from "../foreign-yaml.ts";
import { InteropError } from "../interop-error.ts";
import type { SourcePlace } from "../report.ts";
import { readTargets, type Target } from "./targets.ts";

/** One `jwtRules` entry: whose tokens are verified, and how. */
export interface JwtRule {
  readonly issuer: string;
  /** Empty: tokens for any audience. */
  readonly audiences: readonly string[];
  readonly jwks: { readonly inline: string } | { readonly url: string } | undefined;
  /** Whether it names other places of the token than the source's own choice. */
  readonly otherPlaces: boolean;
  readonly place: SourcePlace;
}

/** A RequestAuthentication: the tokens that are verified at the workloads it selects. */
export interface RequestAuthentication {
  readonly namespace: string;
  readonly name: string;
  readonly place: SourcePlace;
  /** Absent: every workload of the namespace, or of the mesh in the root namespace. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly targets: readonly Target[] | undefined;
  readonly rules: readonly JwtRule[];
}

/** Reads a RequestAuthentication; throws `InteropError` `ERR_POLICY_INTEROP_INVALID` for one that Istio refuses. */
export function readRequestAuthentication(document: ForeignDocument): RequestAuthentication {
  const value = isRecord(document.value) ? document.value : {};
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  const spec = isRecord(value.spec) ? value.spec : {};
  if (typeof metadata.name !== "string") throw refusal(document, ["metadata"], "a RequestAuthentication needs a name");
  const rules = spec.jwtRules ?? [];
  if (!Array.isArray(rules)) throw refusal(document, ["spec", "jwtRules"], "`jwtRules` is no list");
  return {
    namespace: typeof metadata.namespace === "string" ? metadata.namespace : "default",
    name: metadata.name,
    place: document.at([]),
    labels: matchLabels(spec.selector),
    targets: readTargets(spec, (path, message) => refusal(document, path, message)),
    rules: rules.map((rule: unknown, index) => readJwtRule(rule, ["spec", "jwtRules", index], document)),
  };
}

function readJwtRule(rule: unknown, path: readonly (string | number)[], document: ForeignDocument): JwtRule {
  if (!isRecord(rule) || typeof rule.issuer !== "string" || rule.issuer === "")
    throw refusal(document, path, "a rule for tokens names their `issuer`");
  const url = rule.jwksUri ?? rule.jwks_uri;
  const audiences = Array.isArray(rule.audiences) ? rule.audiences.map(String) : [];
  const places = [rule.fromHeaders, rule.fromParams, rule.fromCookies];
  return {
    issuer: rule.issuer,
    audiences,
    jwks: typeof rule.jwks === "string" ? { inline: rule.jwks } : typeof url === "string" ? { url } : undefined,
    otherPlaces: places.some((one) => Array.isArray(one) && one.length > 0),
    place: document.at(path),
  };
}

function matchLabels(selector: unknown): Readonly<Record<string, string>> | undefined {
  const labels = isRecord(selector) ? selector.matchLabels : undefined;
  if (!isRecord(labels)) return undefined;
  const entries = Object.entries(labels).map(([key, value]) => [key, String(value)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function refusal(document: ForeignDocument, path: readonly (string | number)[], message: string): InteropError {
  const { file, line, column } = document.at(path);
  return new InteropError("ERR_POLICY_INTEROP_INVALID", `${file}:${line}:${column}: ${message}`);
}
