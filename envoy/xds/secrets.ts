import { createHash } from "node:crypto";
import { revocationListToPem, type TrustBundle, type X509Svid } from "../../spiffe/index.ts";
import type { DataSource } from "../gen/envoy/config/core/v3/base.ts";
import {
  CertificateValidationContext,
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcher,
  TlsCertificate,
} from "../gen/envoy/extensions/transport_sockets/tls/v3/common.ts";
import { Secret } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import { SPIFFECertValidatorConfig } from "../gen/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config.ts";
import { NOBODY, THROW_AWAY_ANCHOR } from "../throw-away-anchor.ts";
import { anchorsOf, type SecretSnapshot } from "./secret-snapshot.ts";

/** Type URL of the one resource type that is served. */
export const SECRET_TYPE_URL = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

const VALIDATOR_TYPE_URL = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";

/** Names of secrets. */
export const SECRET_NAMES = {
  /** Leaf and key. */
  leaf: "default",
  /** Every trust domain. No SAN matchers: those of the sidecar's static part stand alone. */
  everyone: "ALL",
  /** The own trust domain alone. */
  own: "ROOTCA",
  /** Every trust domain, and of those only the callers that may open a server-first port. */
  serverFirst: (port: number): string => `tcp/${port}`,
  /** Certificate and key of a public listener. */
  edge: (port: number): string => `edge/${port}`,
} as const;

/** One secret as it goes out. The version is a hash of the content, the same on every stream. */
export interface SecretResource {
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** A secret that can be written more than once: another `edition` has other bytes and the same meaning. */
export type SecretSource = (edition: string) => SecretResource;

/** Every secret of a snapshot, validation contexts before the leaf. */
export function secretsOf(snapshot: SecretSnapshot): ReadonlyMap<string, SecretSource> {
  const { svid, trustBundles, serverFirst } = snapshot;
  const [own] = trustBundles;
  const secrets = new Map<string, SecretSource>();
  if (own !== undefined) {
    secrets.set(SECRET_NAMES.everyone, validation(SECRET_NAMES.everyone, trustBundles, []));
    secrets.set(SECRET_NAMES.own, validation(SECRET_NAMES.own, [own], []));
    for (const bundle of trustBundles) {
      const name = `spiffe://${bundle.trustDomain}`;
      secrets.set(name, validation(name, [bundle], []));
    }
    for (const [port, callers] of serverFirst) {
      const name = SECRET_NAMES.serverFirst(port);
      secrets.set(name, validation(name, trustBundles, [NOBODY, ...callers]));
    }
  }
  if (svid !== undefined) {
    for (const name of [SECRET_NAMES.leaf, svid.id.toString()]) secrets.set(name, leafSecret(name, svid));
  }
  for (const [port, { chainPem, keyPem }] of snapshot.edges ?? []) {
    const name = SECRET_NAMES.edge(port);
    secrets.set(name, keySecret(name, chainPem, keyPem));
  }
  return secrets;
}

/** Whether a secret holds a key rather than trust; a key that is gone is withheld, trust that is gone is replaced. */
export function holdsKey(name: string): boolean {
  return name === SECRET_NAMES.leaf || name.startsWith("edge/") || /^spiffe:\/\/[^/]+\/./.test(name);
}

/**
 * A validation context that admits nobody, in the place of one that is gone.
 *
 * SECURITY: a sidecar keeps a secret that is merely left out of a response, and reads an empty validation context as
 * "anybody".
 */
export function trustNobody(name: string): SecretSource {
  return (edition) =>
    contextSecret(name, [{ name: "nobody.invalid", trustBundle: pem(THROW_AWAY_ANCHOR, edition) }], [NOBODY]);
}

function validation(name: string, bundles: readonly TrustBundle[], callers: readonly string[]): SecretSource {
  const domains = bundles.map((bundle) => ({ name: bundle.trustDomain, text: anchorText(bundle) }));
  return (edition) =>
    contextSecret(
      name,
      domains.map((domain) => ({ name: domain.name, trustBundle: pem(domain.text, edition) })),
      callers,
    );
}

/** PEM of a bundle's anchors and lists, sorted so that their order changes no version; the throw-away anchor where there is none. */
function anchorText(bundle: TrustBundle): string {
  const anchors = anchorsOf(bundle).map((anchor) => anchor.toString());
  return anchors.length === 0 ? THROW_AWAY_ANCHOR : anchors.sort().join("") + listText(bundle);
}

/** Envoy's SPIFFE validator finds lists beside the anchors, and then asks for one of every authority of a chain. */
function listText({ revocationLists = [] }: TrustBundle): string {
  const texts = revocationLists.map(({ der }) => revocationListToPem(der));
  return texts.sort().join("");
}

function contextSecret(
  name: string,
  trustDomains: SPIFFECertValidatorConfig["trustDomains"],
  callers: readonly string[],
): SecretResource {
  const value = SPIFFECertValidatorConfig.encode({ trustDomains }).finish();
  const context = CertificateValidationContext.fromPartial({
    matchTypedSubjectAltNames: [...new Set(callers)].map(exactUri),
    customValidatorConfig: {
      name: "envoy.tls.cert_validator.spiffe",
      typedConfig: { typeUrl: VALIDATOR_TYPE_URL, value },
    },
  });
  return resource({ name, type: { $case: "validationContext", value: context } });
}

function exactUri(uri: string): SubjectAltNameMatcher {
  const matcher = { matchPattern: { $case: "exact" as const, value: uri }, ignoreCase: false };
  return { sanType: SanType.URI, matcher, oid: "" };
}

function leafSecret(name: string, svid: X509Svid): SecretSource {
  const chain = svid.chain.map((certificate) => certificate.toString()).join("");
  const key = svid.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return keySecret(name, chain, key);
}

function keySecret(name: string, chain: string, key: string): SecretSource {
  return (edition) => {
    const value = TlsCertificate.fromPartial({ certificateChain: pem(chain, edition), privateKey: pem(key, "") });
    return resource({ name, type: { $case: "tlsCertificate", value } });
  };
}

/** What stands before the first PEM block is a comment to Envoy; an edition goes there. */
function pem(text: string, edition: string): DataSource {
  const value = Buffer.from(edition === "" ? text : `# ${edition}\n${text}`);
  return { specifier: { $case: "inlineBytes", value }, watchedDirectory: undefined };
}

function resource(secret: Secret): SecretResource {
  const bytes = Secret.encode(secret).finish();
  return { name: secret.name, bytes, version: createHash("sha256").update(bytes).digest("hex").slice(0, 32) };
}
