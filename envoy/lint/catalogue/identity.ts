import type { LintRule } from "./rule.ts";

/** Kinds of findings about TLS: who may be on the other side. */
export const IDENTITY_RULES = {
  "anonymous-listener": {
    severity: "warning",
    title: "callers of a listener have no identity",
    why: "without a client certificate every rule about identities is moot, and without TLS the way is open to read and write",
    remedy: "ask for client certificates; `cellwall envoy patch --mtls` adds mutual TLS with the mesh's identities",
  },
  "client-certificate-optional": {
    severity: "error",
    title: "a client certificate is verified where there is one, and not needed",
    why: "a caller without a certificate comes through without a name",
    remedy: "set `require_client_certificate: true`",
  },
  "untrusted-certificates-accepted": {
    severity: "error",
    title: "certificates of unknown authorities are accepted",
    why: "anybody makes a certificate with any name on it",
    remedy: "set `trust_chain_verification: VERIFY_TRUST_CHAIN`",
  },
  "certificate-names-unchecked": {
    severity: "error",
    title: "every certificate of the authority is accepted, whatever name it has",
    why: "a DNS name spelled `spiffe://…` or a name of another trust domain becomes the caller's identity",
    remedy:
      "add `match_typed_subject_alt_names` with `san_type: URI` and `spiffe://<trust domain>/`, or the SPIFFE validator",
  },
  "certificate-name-type-unchecked": {
    severity: "error",
    title: "names are compared whatever their type",
    why: "a DNS name spelled like a SPIFFE ID passes for it",
    remedy: "use `match_typed_subject_alt_names` with `san_type: URI`",
    advisories: ["CVE-2025-66220"],
  },
  "trust-domain-prefix-open": {
    severity: "error",
    title: "a prefix of identities does not end at the trust domain's end",
    why: "`spiffe://shop.example` also admits `spiffe://shop.example.evil/web`",
    remedy: "end the prefix in `/`: `spiffe://shop.example/`",
  },
  "trust-domains-share-roots": {
    severity: "warning",
    title: "one bag of roots vouches for more than one trust domain",
    why: "any of the roots issues identities of each of them",
    remedy: "use the SPIFFE validator (`envoy.tls.cert_validator.spiffe`) with a bundle for each trust domain",
  },
  "secrets-admit-everybody": {
    severity: "error",
    title: "an empty validation context of the secrets' server would admit everybody",
    why: "Envoy acknowledges it and from then on lets callers in without a certificate, although one is required",
    remedy: "give `default_validation_context` a static `trusted_ca` and `match_typed_subject_alt_names`",
  },
  "secrets-not-awaited": {
    severity: "warning",
    title: "a listener opens without its secrets",
    why: "15 seconds after the start it is reported live and resets every connection",
    remedy: "set `initial_fetch_timeout: 0s` on the secret's `sds_config`",
  },
  "sessions-resumed": {
    severity: "warning",
    title: "TLS sessions are resumed without looking at the certificate again",
    why: "a caller comes back after its certificate expired or its root was removed",
    remedy: "set `disable_stateless_session_resumption: true` and `disable_stateful_session_resumption: true`",
    advisories: ["CVE-2022-21654", "CVE-2022-21656", "CVE-2026-47778"],
  },
  "old-tls": {
    severity: "warning",
    title: "TLS 1.0 or 1.1 is accepted",
    why: "both are broken and withdrawn (RFC 8996)",
    remedy: "set `tls_minimum_protocol_version` to `TLSv1_2`, within a mesh to `TLSv1_3`",
  },
  "revocation-list-ignored": {
    severity: "error",
    title: "a revocation list that the SPIFFE validator does not read",
    why: "a revoked certificate is accepted, although the configuration looks as if it were not",
    remedy: "append the list's PEM to the trust bundle, or revoke by the authorization server",
  },
  "upstream-unverified": {
    severity: "error",
    title: "a TLS peer's certificate is not verified",
    why: "whoever answers at the address gets the requests",
    remedy: "give the cluster's TLS context a `validation_context` with `trusted_ca` and a name to match",
  },
  "upstream-name-unchecked": {
    severity: "warning",
    title: "a TLS peer may have any name of the authority",
    why: "every workload of the mesh can stand in for this one",
    remedy: "add `match_typed_subject_alt_names` with exactly the peer's name",
  },
  "egress-exposed": {
    severity: "error",
    title: "whoever reaches the listener speaks with this workload's identity",
    why: "it takes plaintext from the network and sends it on over the workload's own mutual TLS",
    remedy: "bind it to a unix socket or to loopback",
  },
} as const satisfies Record<string, LintRule>;
