import { parseTrustBundle, SpiffeError, type TrustDomain } from "../../spiffe/index.ts";
import type { BundleEndpoint, Federation, Mesh, OidcDiscovery, Span } from "../model/index.ts";
import type { BundleEndpointSyntax, FederationSyntax, MeshSyntax, OidcDiscoverySyntax } from "../syntax/kinds/mesh.ts";
import type { Findings } from "./findings.ts";

/** What a Mesh says of other trust domains, and of itself to them. */
export type Outward = Pick<Mesh, "federated" | "federation" | "bundleEndpoint" | "oidcDiscovery">;

/** Resolves federation, bundle endpoint and OIDC discovery. */
export function outwardOf(spec: MeshSyntax, findings: Findings): Outward {
  const federation = federationOf(spec, findings);
  const bundleEndpoint = spec.bundleEndpoint && bundleEndpointOf(spec.bundleEndpoint, findings);
  const oidcDiscovery = spec.oidcDiscovery && oidcDiscoveryOf(spec.oidcDiscovery, findings);
  checkAddresses(spec, findings);
  return {
    federated: federation.map(({ trustDomain }) => trustDomain),
    ...(federation.length === 0 ? {} : { federation }),
    ...(bundleEndpoint === undefined ? {} : { bundleEndpoint }),
    ...(oidcDiscovery === undefined ? {} : { oidcDiscovery }),
  };
}

function federationOf(spec: MeshSyntax, findings: Findings): readonly Federation[] {
  const written = spec.federation?.value ?? [];
  const known = new Set([spec.trustDomain.value, ...written.map(({ trustDomain }) => trustDomain.value)]);
  const federation = new Map<TrustDomain, Federation>();
  for (const entry of written) {
    const { value, span } = entry.trustDomain;
    const conflict = (message: string, hint: string): void =>
      findings.report("ERR_POLICY_CONFLICT", span, message, hint);
    if (value === spec.trustDomain.value)
      conflict(`\`${value}\` is the own trust domain`, "federation is for others; remove it");
    else if (federation.has(value)) conflict(`\`${value}\` is federated a second time`, "remove it");
    else federation.set(value, entryOf(entry, known, findings));
  }
  return [...federation.values()];
}

function entryOf(
  { trustDomain, endpoint, bundle }: FederationSyntax,
  known: ReadonlySet<TrustDomain>,
  findings: Findings,
): Federation {
  const { inline, file } = bundle ?? {};
  if (inline !== undefined) checkBundle(trustDomain.value, inline.value, inline.span, findings);
  const document = inline === undefined ? file && { file: file.value } : { inline: inline.value };
  const base = { trustDomain: trustDomain.value, ...(document === undefined ? {} : { bundle: document }) };
  if (endpoint === undefined) return base;
  const { url, profile, spiffeId } = endpoint;
  if (profile.value === "https_web") {
    if (spiffeId !== undefined)
      findings.report(
        "ERR_POLICY_CONFLICT",
        spiffeId.span,
        "a server of profile `https_web` proves itself by its host name, not by a SPIFFE ID",
        "remove `spiffeId`, or set `profile: https_spiffe`",
      );
    return { ...base, endpoint: { profile: "https_web", url: url.value } };
  }
  if (spiffeId === undefined) {
    const hint = `add \`spiffeId: spiffe://${trustDomain.value}/…\`, as the other side names it`;
    findings.report("ERR_POLICY_MISSING_KEY", endpoint.span, "`https_spiffe` needs the server's `spiffeId`", hint);
    return base;
  }
  const id = spiffeId.value;
  if (!known.has(id.trustDomain))
    findings.report(
      "ERR_POLICY_NOT_FEDERATED",
      spiffeId.span,
      `the server is of \`${id.trustDomain}\`, whose bundle is not known here`,
      `federate \`${id.trustDomain}\` as well: its bundle vouches for the server`,
    );
  else if (id.trustDomain === trustDomain.value && document === undefined)
    findings.report(
      "ERR_POLICY_MISSING_KEY",
      endpoint.span,
      `the first contact with \`${trustDomain.value}\` needs a \`bundle\` to know its server by`,
      "add the `bundle` that the other side gave you, as `inline` or `file`",
    );
  return { ...base, endpoint: { profile: "https_spiffe", url: url.value, spiffeId: id } };
}

function checkBundle(trustDomain: TrustDomain, text: string, span: Span, findings: Findings): void {
  try {
    const { x509Authorities, jwtAuthorities } = parseTrustBundle(trustDomain, text);
    if (x509Authorities.length + jwtAuthorities.size > 0) return;
    findings.report(
      "ERR_POLICY_VALUE",
      span,
      `the bundle of \`${trustDomain}\` holds no key that vouches for anything`,
    );
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    findings.report("ERR_POLICY_VALUE", span, error.message, 'paste the SPIFFE bundle document: `{"keys": […]}`');
  }
}

function bundleEndpointOf(written: BundleEndpointSyntax, findings: Findings): BundleEndpoint | undefined {
  const { listen, profile, certificate, span } = written;
  if (profile.value === "https_web") {
    if (certificate !== undefined)
      return { profile: "https_web", listen: listen.value, certificate: certificate.value };
    const hint = "name the folder with `tls.crt` and `tls.key`, or set `profile: https_spiffe`";
    findings.report("ERR_POLICY_MISSING_KEY", span, "`https_web` needs a `certificate`", hint);
    return undefined;
  }
  if (certificate !== undefined)
    findings.report(
      "ERR_POLICY_CONFLICT",
      certificate.span,
      "with `https_spiffe` the authority shows its own X.509-SVID",
      "remove `certificate`, or set `profile: https_web`",
    );
  return { profile: "https_spiffe", listen: listen.value };
}

function oidcDiscoveryOf(written: OidcDiscoverySyntax, findings: Findings): OidcDiscovery {
  const { issuer, listen, certificate, span } = written;
  // OpenID Connect Discovery 1.0, section 3.
  if (/[?]/.test(issuer.value)) findings.report("ERR_POLICY_VALUE", issuer.span, "an issuer has no query", "remove it");
  if ((listen === undefined) !== (certificate === undefined))
    findings.report(
      "ERR_POLICY_MISSING_KEY",
      span,
      "serving the documents needs both `listen` and `certificate`",
      "add the other one, or leave both out where another server has the documents",
    );
  const served = listen && certificate && { listen: listen.value, certificate: certificate.value };
  return { issuer: issuer.value, ...(served === undefined ? {} : { serve: served }) };
}

function checkAddresses({ bundleEndpoint, oidcDiscovery }: MeshSyntax, findings: Findings): void {
  const [one, other] = [bundleEndpoint?.listen, oidcDiscovery?.listen];
  if (one === undefined || other === undefined) return;
  if (one.value.host === other.value.host && one.value.port === other.value.port)
    findings.report(
      "ERR_POLICY_CONFLICT",
      other.span,
      "the bundle endpoint listens on this address",
      "give OIDC discovery another port",
    );
}
