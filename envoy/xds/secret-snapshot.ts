import type { KeyObject, X509Certificate } from "node:crypto";
import { type TrustBundle, tryParseSpiffeId, verifyX509Svid, type X509Svid } from "../../spiffe/index.ts";
import { EnvoyError } from "../envoy-error.ts";

/** What one workload's sidecar is to have. Every call of `setSecrets` replaces the whole. */
export interface SecretSnapshot {
  /** Absent while there is none: the leaf is then withheld, and listeners that need it stay closed. */
  readonly svid: X509Svid | undefined;
  /** The own trust domain first, then the federated ones. */
  readonly trustBundles: readonly TrustBundle[];
  /** Port of a server-first listener -> SPIFFE IDs that may open it. */
  readonly serverFirst: ReadonlyMap<number, readonly string[]>;
  /** Port of a public listener -> the certificate that it shows. Whoever makes the snapshot has seen that key and certificate belong together. */
  readonly edges?: ReadonlyMap<number, EdgeCertificate>;
}

/** What a public listener shows, as PEM; leaf first. */
export interface EdgeCertificate {
  readonly chainPem: string;
  readonly keyPem: string;
}

/**
 * Refuses a snapshot that a sidecar would reject or misread, before any of it is sent: `EnvoyError` `ERR_ENVOY_SECRETS`.
 *
 * SECURITY: a sidecar that rejects a leaf goes on to reject trust bundles that are good, root removals too.
 */
export function checkSnapshot(snapshot: SecretSnapshot, at: Date): void {
  checkServerFirst(snapshot.serverFirst);
  checkBundles(snapshot.trustBundles);
  if (snapshot.svid !== undefined) checkSvid(snapshot.svid, snapshot.trustBundles[0], at);
}

/** Refuses lists of server-first callers that hold something else: `EnvoyError` `ERR_ENVOY_SECRETS`. */
export function checkServerFirst(serverFirst: SecretSnapshot["serverFirst"]): void {
  for (const [port, callers] of serverFirst) checkCallers(port, callers);
}

/**
 * Certificates of a bundle that a sidecar can anchor in: self-signed authorities. Envoy's SPIFFE validator takes no
 * intermediate for an anchor.
 */
export function anchorsOf(bundle: TrustBundle): readonly X509Certificate[] {
  return bundle.x509Authorities.filter((authority) => authority.ca && authority.checkIssued(authority));
}

// A federated bundle without an anchor is no error: another organisation's mistake must not hold up our own rotation.
// Nobody of that trust domain is admitted then.
function checkBundles(bundles: readonly TrustBundle[]): void {
  const [own, ...federated] = bundles;
  if (own === undefined) return;
  if (anchorsOf(own).length === 0) {
    throw refused(`the trust bundle of \`${own.trustDomain}\` holds no self-signed authority`);
  }
  const seen = new Set<string>([own.trustDomain]);
  for (const { trustDomain } of federated) {
    if (seen.has(trustDomain)) throw refused(`there are two trust bundles of \`${trustDomain}\``);
    seen.add(trustDomain);
  }
}

function checkSvid(svid: X509Svid, own: TrustBundle | undefined, at: Date): void {
  const [leaf] = svid.chain;
  if (leaf === undefined) throw refused(`the certificate chain of \`${svid.id}\` is empty`);
  if (svid.privateKey.type !== "private" || !leaf.checkPrivateKey(svid.privateKey)) {
    throw refused(`the private key is not that of the certificate of \`${svid.id}\``);
  }
  if (!isKeyOfEnvoy(leaf.publicKey)) throw refused(`the key of \`${svid.id}\` is of a kind that Envoy does not take`);
  if (own === undefined || own.trustDomain !== svid.id.trustDomain) {
    throw refused(`the first trust bundle is not that of \`${svid.id.trustDomain}\``);
  }
  const verified = verifyX509Svid(svid.chain, { ...own, x509Authorities: anchorsOf(own) }, { at });
  if (!verified.ok) throw refused(`the certificate of \`${svid.id}\` does not verify: ${verified.message}`);
  if (verified.id.toString() !== svid.id.toString())
    throw refused(`the certificate of \`${svid.id}\` names \`${verified.id}\``);
}

const CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

function isKeyOfEnvoy(key: KeyObject): boolean {
  if (key.asymmetricKeyType === "ec") return CURVES.has(key.asymmetricKeyDetails?.namedCurve ?? "");
  return key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}

function checkCallers(port: number, callers: readonly string[]): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw refused(`\`${port}\` is not a port`);
  const wrong = callers.find((caller) => !tryParseSpiffeId(caller).ok);
  if (wrong !== undefined) throw refused(`caller \`${wrong}\` of port ${port} is not a spiffe id`);
}

function refused(message: string): EnvoyError {
  return new EnvoyError("ERR_ENVOY_SECRETS", message, { hint: "the sidecar keeps the secrets it has" });
}
