import { createHash, type KeyObject, type X509Certificate } from "node:crypto";
import type { AuthorityStatus } from "../protocol/index.ts";
import { parseX509Svid, type SpiffeId, type TrustBundle, type X509Svid } from "../spiffe/index.ts";
import type { CaContext } from "./context.ts";
import type { HostNames } from "./extensions.ts";
import { type Authorities, createHierarchy, loadHierarchy, renewSigner, renewSigning } from "./hierarchy-store.ts";
import { pastHalf, validityFrom } from "./lifetimes.ts";
import { type Issuer, type SignedCertificate, serialNumberOf, signLeaf, spkiOf } from "./profile.ts";

/** What to put in a leaf. */
export interface LeafRequest {
  readonly id: SpiffeId;
  readonly publicKey: KeyObject;
  readonly seconds: number;
  readonly hosts?: HostNames;
}

/** Root → intermediate → leaf, with the keys on disk and the certificates in the store. */
export interface Hierarchy {
  trustBundle(): TrustBundle;
  /** SHA-256 over the root's SubjectPublicKeyInfo, lower-case hex. */
  rootFingerprint(): string;
  signer(): X509Svid;
  authorities(): AuthorityStatus["authorities"];
  issue(request: LeafRequest): SignedCertificate;
  /** A leaf's chain as it travels: leaf, intermediate; no root. */
  chainOf(leaf: SignedCertificate): readonly Buffer[];
  /** Replaces what is past half its life. True if the signer is another one now. */
  renew(): Promise<boolean>;
}

/** How soon consumers should look for a new bundle. */
const REFRESH_HINT_SECONDS = 300;

/** Loads the hierarchy, or creates it on first use. Throws `ERR_CA_TRUST_DOMAIN`, `ERR_CA_STATE`, `ERR_CA_KEY_FILE`. */
export async function openHierarchy(context: CaContext): Promise<Hierarchy> {
  let current = (await loadHierarchy(context)) ?? (await createHierarchy(context));
  const { root } = current;
  const bundle = trustBundleOf(context, root);
  const fingerprint = createHash("sha256").update(spkiOf(root.certificate.publicKey)).digest("hex");
  return {
    trustBundle: () => bundle,
    rootFingerprint: () => fingerprint,
    signer: () => signerSvid(current),
    authorities: () => describe(current),
    issue: (request) => issueLeaf(context, current.intermediate, request),
    chainOf: (leaf) => [leaf.der, current.intermediate.certificate.raw],
    renew: async () => {
      const before = current;
      current = await renewed(context, current);
      return current.signer !== before.signer;
    },
  };
}

/** A new intermediate brings a new signer, whose chain must not outlive what it hangs on. */
async function renewed(context: CaContext, current: Authorities): Promise<Authorities> {
  const now = context.clock();
  if (isDue(current.intermediate.certificate, now)) return renewSigning(context, current);
  if (isDue(current.signer.certificate, now)) return renewSigner(context, current);
  return current;
}

function isDue(certificate: X509Certificate, now: Date): boolean {
  return pastHalf(new Date(certificate.validFrom), new Date(certificate.validTo), now);
}

function issueLeaf(context: CaContext, issuer: Issuer, request: LeafRequest): SignedCertificate {
  const { seconds, ...leaf } = request;
  const validity = validityFrom(context.clock(), seconds, context.lifetimes);
  return signLeaf({ ...leaf, issuer, validity, random: context.random });
}

function trustBundleOf(context: CaContext, root: Issuer): TrustBundle {
  return Object.freeze({
    trustDomain: context.trustDomain,
    x509Authorities: Object.freeze([root.certificate]),
    jwtAuthorities: new Map<string, KeyObject>(),
    sequence: 1n,
    refreshHintSeconds: REFRESH_HINT_SECONDS,
  });
}

function signerSvid({ signer, intermediate }: Authorities): X509Svid {
  const chain = [signer.certificate.raw, intermediate.certificate.raw];
  return parseX509Svid({ chain, privateKey: signer.privateKey });
}

function describe(current: Authorities): AuthorityStatus["authorities"] {
  const line = (role: AuthorityStatus["authorities"][number]["role"], certificate: X509Certificate) => ({
    role,
    serial: serialNumberOf(certificate),
    notAfter: new Date(certificate.validTo).toISOString(),
  });
  return [
    line("root", current.root.certificate),
    line("intermediate", current.intermediate.certificate),
    line("policy-signer", current.signer.certificate),
  ];
}
