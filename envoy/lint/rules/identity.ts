import { meshListenerTls, peerMatchers, staticValidation } from "../../config/tls.ts";
import { agentClusters } from "../agent-clusters.ts";
import { type Edit, set } from "../edit.ts";
import { chains, type LintContext, type Look, scopeOf } from "../lint-context.ts";
import { type ChainView, upstreamTls } from "../listener-view.ts";
import { toldContext } from "../own.ts";
import { isProbesOnly } from "../routes-view.ts";
import { secretConfigs, uncombined, type ValidationView, validationView } from "../tls-view.ts";
import { toJson } from "../to-json.ts";
import { at, type ConfigNode, flag, seconds, text } from "../tree.ts";

/** Who may be on the other side of a connection. */
export const identityLooks: readonly Look[] = [
  (context) => {
    for (const chain of chains(context.view, "ingress")) ingress(context, chain);
  },
  egress,
  upstreams,
];

function ingress(context: LintContext, chain: ChainView): void {
  const { tls } = chain;
  const validation = tls === undefined ? undefined : validationView(tls);
  if (tls === undefined || validation === undefined) anonymous(context, chain);
  if (tls === undefined) return;
  const scope = scopeOf(chain);
  sessions(context, tls, scope);
  secrets(context, tls, scope);
  if (validation === undefined) return;
  const required = at(tls, "require_client_certificate");
  if (flag(required) !== true)
    context.report("client-certificate-optional", {
      node: required ?? tls,
      scope,
      edits: set(tls, ["require_client_certificate"], true),
    });
  resumption(context, tls, scope);
  for (const look of [trust, names, sent]) look(context, { tls, validation, scope });
}

/** A listener that a sidecar declares to be public says so to the agent; one for literal probes is no matter of identity. */
function anonymous(context: LintContext, chain: ChainView): void {
  const { http, listener, tls, node } = chain;
  const mends = context.target.mtls && tls === undefined;
  const declared = http !== undefined && (toldContext(http).kind === "edge" || isProbesOnly(http.routes));
  if (!mends && (listener.local || declared)) return;
  const alpn = http === undefined ? [] : ["h2", "http/1.1"];
  context.report("anonymous-listener", {
    node: tls ?? node,
    scope: scopeOf(chain),
    detail: tls === undefined ? "plaintext" : "no client certificate is asked for",
    ...(mends ? { edits: mutualTls(context, node, alpn) } : {}),
  });
}

function mutualTls(context: LintContext, chain: ConfigNode, alpn: readonly string[]): readonly Edit[] {
  const tls = meshListenerTls(context.target, alpn);
  return [...set(chain, ["transport_socket"], tls), ...named(context), ...agentClusters(context)];
}

/** Envoy asks no server for secrets without a name of its own. */
function named({ view, target }: LintContext): readonly Edit[] {
  const { bootstrap } = view;
  if (bootstrap === undefined) return [];
  const names = { id: target.workload, cluster: "cellwall" };
  return Object.entries(names).flatMap(([key, value]) =>
    at(bootstrap, "node", key) === undefined ? set(bootstrap, ["node", key], value) : [],
  );
}

interface Validated {
  readonly tls: ConfigNode;
  readonly validation: ValidationView;
  readonly scope: string;
}

function trust(context: LintContext, { validation: { fixed, spiffe }, scope }: Validated): void {
  if (fixed === undefined) return;
  const verification = at(fixed, "trust_chain_verification");
  if (["ACCEPT_UNTRUSTED", "1"].includes(text(verification) ?? ""))
    context.report("untrusted-certificates-accepted", {
      node: verification ?? fixed,
      scope,
      edits: set(fixed, ["trust_chain_verification"], "VERIFY_TRUST_CHAIN"),
    });
  const list = at(fixed, "crl") ?? at(fixed, "only_verify_leaf_cert_crl");
  if (spiffe && list !== undefined) context.report("revocation-list-ignored", { node: list, scope });
}

function names(context: LintContext, { validation, scope }: Validated): void {
  const { fixed, sent, spiffe, uris, matchers } = validation;
  if (fixed === undefined) return;
  const untyped = at(fixed, "match_subject_alt_names");
  const misread = matchers.find(({ type, value }) => !["URI", "3"].includes(type) && value.startsWith("spiffe://"));
  if (untyped !== undefined || misread !== undefined)
    context.report("certificate-name-type-unchecked", { node: untyped ?? misread?.node ?? fixed, scope });
  else if (sent === undefined && !spiffe && uris.length === 0)
    context.report("certificate-names-unchecked", {
      node: fixed,
      scope,
      edits: set(fixed, ["match_typed_subject_alt_names"], peerMatchers(context.target.mesh)),
    });
  for (const one of uris.filter(({ form, value }) => form === "prefix" && OPEN_PREFIX.test(value))) {
    const edits = one.value === "spiffe://" ? {} : { edits: set(one.matcher, ["prefix"], `${one.value}/`) };
    context.report("trust-domain-prefix-open", { node: one.matcher, scope, detail: `\`${one.value}\``, ...edits });
  }
  const domains = new Set(uris.map(({ value }) => /^spiffe:\/\/([^/]*)/.exec(value)?.[1] ?? value));
  if (sent === undefined && !spiffe && domains.size > 1)
    context.report("trust-domains-share-roots", { node: fixed, scope });
}

const OPEN_PREFIX = /^spiffe:\/\/[^/]*$/;

/**
 * SECURITY: Envoy ORs its own matchers with those of the secrets' server, so there must be one that an empty context cannot take away.
 */
function sent(context: LintContext, { tls, validation, scope }: Validated): void {
  if (validation.sent === undefined) return;
  const anchored = at(validation.fixed, "trusted_ca") ?? (validation.spiffe ? validation.fixed : undefined);
  if (anchored !== undefined && (validation.matchers.length > 0 || validation.spiffe)) return;
  context.report("secrets-admit-everybody", { node: validation.sent, scope, edits: anchor(context, tls, validation) });
}

function anchor({ target }: LintContext, tls: ConfigNode, { fixed, sent: secret }: ValidationView): readonly Edit[] {
  const whole = staticValidation(target);
  const alone = uncombined(tls);
  if (alone !== undefined && secret !== undefined) {
    const value = { default_validation_context: whole, validation_context_sds_secret_config: toJson(secret) };
    return [{ kind: "exchange", map: alone.common, old: alone.key, key: "combined_validation_context", value }];
  }
  const path = ["common_tls_context", "combined_validation_context", "default_validation_context"];
  if (fixed === undefined || fixed.kind !== "map" || fixed.entries.length === 0) return set(tls, path, whole);
  return Object.entries(whole).flatMap(([key, value]) =>
    at(fixed, key) === undefined ? set(fixed, [key], value) : [],
  );
}

function sessions(context: LintContext, tls: ConfigNode, scope: string): void {
  const params = at(tls, "common_tls_context", "tls_params");
  const oldest = at(params, "tls_minimum_protocol_version");
  if (params !== undefined && ["TLSv1_0", "TLSv1_1", "1", "2"].includes(text(oldest) ?? ""))
    context.report("old-tls", {
      node: oldest ?? params,
      scope,
      edits: set(params, ["tls_minimum_protocol_version"], "TLSv1_2"),
    });
}

function resumption(context: LintContext, tls: ConfigNode, scope: string): void {
  const kept = ["disable_stateless_session_resumption", "disable_stateful_session_resumption"].filter(
    (key) => flag(at(tls, key)) !== true,
  );
  if (kept.length === 0) return;
  context.report("sessions-resumed", { node: tls, scope, edits: kept.flatMap((key) => set(tls, [key], true)) });
}

function secrets(context: LintContext, tls: ConfigNode, scope: string): void {
  for (const secret of secretConfigs(tls)) {
    const source = at(secret, "sds_config");
    // A file is read before the listener opens.
    if (source === undefined || at(source, "path_config_source") !== undefined || at(source, "path") !== undefined)
      continue;
    if (seconds(at(source, "initial_fetch_timeout")) === 0) continue;
    const detail = `secret \`${text(at(secret, "name")) ?? ""}\``;
    context.report("secrets-not-awaited", {
      node: secret,
      scope,
      detail,
      edits: set(source, ["initial_fetch_timeout"], "0s"),
    });
  }
}

function egress(context: LintContext): void {
  for (const chain of chains(context.view, "egress")) {
    const { node, local } = chain.listener;
    // Traffic that the kernel turns towards the listener has another address, which nobody outside can ask for.
    if (local || chain.tls !== undefined || flag(at(node, "use_original_dst")) === true) continue;
    context.report("egress-exposed", { node: at(node, "address") ?? node, scope: scopeOf(chain) });
  }
}

function upstreams(context: LintContext): void {
  for (const [name, cluster] of context.view.clusters) {
    const tls = upstreamTls(cluster);
    if (tls === undefined) continue;
    const scope = `cluster \`${name}\``;
    const validation = validationView(tls);
    if (
      validation === undefined ||
      (validation.sent === undefined &&
        !validation.spiffe &&
        at(validation.fixed, "trusted_ca") === undefined &&
        at(validation.fixed, "system_root_certs") === undefined)
    )
      context.report("upstream-unverified", { node: tls, scope });
    else if (!namesPeer(validation, tls)) context.report("upstream-name-unchecked", { node: tls, scope });
  }
}

function namesPeer({ matchers, fixed }: ValidationView, tls: ConfigNode): boolean {
  return (
    matchers.length > 0 ||
    at(fixed, "match_subject_alt_names") !== undefined ||
    flag(at(tls, "auto_sni_san_validation")) === true
  );
}
