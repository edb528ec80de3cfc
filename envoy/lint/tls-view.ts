import { at, type ConfigNode, entryOf, items, text } from "./tree.ts";

/** How a TLS context verifies its peer. */
export interface ValidationView {
  /** The part that stands in the text; undefined where all of it comes from a secrets' server. */
  readonly fixed: ConfigNode | undefined;
  /** The `SdsSecretConfig` of the part that a server sends. */
  readonly sent: ConfigNode | undefined;
  readonly spiffe: boolean;
  /** Typed matchers of URI names, with their values. */
  readonly uris: readonly MatcherView[];
  /** Every typed matcher, of any type. */
  readonly matchers: readonly MatcherView[];
}

/** One `match_typed_subject_alt_names`. */
export interface MatcherView {
  readonly node: ConfigNode;
  readonly type: string;
  readonly form: "exact" | "prefix" | "other";
  readonly value: string;
  readonly matcher: ConfigNode;
}

/** Reads the validation of a TLS context; undefined where peers are not verified at all. */
export function validationView(tls: ConfigNode): ValidationView | undefined {
  const common = at(tls, "common_tls_context");
  const combined = at(common, "combined_validation_context");
  const fixed = at(common, "validation_context") ?? at(combined, "default_validation_context");
  const sent =
    at(common, "validation_context_sds_secret_config") ?? at(combined, "validation_context_sds_secret_config");
  if (fixed === undefined && sent === undefined) return undefined;
  const matchers = items(at(fixed, "match_typed_subject_alt_names")).map(matcherView);
  const spiffe = /spiffe/.test(text(at(fixed, "custom_validator_config", "name")) ?? "");
  return { fixed, sent, spiffe, matchers, uris: matchers.filter(({ type }) => type === "URI" || type === "3") };
}

function matcherView(node: ConfigNode): MatcherView {
  const matcher = at(node, "matcher") ?? node;
  const exact = text(at(matcher, "exact"));
  const prefix = text(at(matcher, "prefix"));
  const form = exact !== undefined ? "exact" : prefix !== undefined ? "prefix" : "other";
  const type = text(at(node, "san_type")) ?? "";
  return { node, type, form, value: exact ?? prefix ?? "", matcher };
}

/** Every `SdsSecretConfig` of a TLS context. */
export function secretConfigs(tls: ConfigNode): readonly ConfigNode[] {
  const common = at(tls, "common_tls_context");
  const sent = validationView(tls)?.sent;
  return [...items(at(common, "tls_certificate_sds_secret_configs")), ...(sent === undefined ? [] : [sent])];
}

/** Whether the callers of a listener are named by the agent in the handshake, as for apps that speak first. */
export function isAdmittedByHandshake(tls: ConfigNode | undefined): boolean {
  const sent = tls === undefined ? undefined : validationView(tls)?.sent;
  return /^tcp\/\d+$/.test(text(at(sent, "name")) ?? "");
}

/** The key under which a context's own, uncombined validation by a secrets' server stands; undefined where it does not. */
export function uncombined(tls: ConfigNode): { readonly common: ConfigNode; readonly key: string } | undefined {
  const common = at(tls, "common_tls_context");
  const entry = entryOf(common, "validation_context_sds_secret_config");
  return common === undefined || entry === undefined ? undefined : { common, key: entry.key };
}
