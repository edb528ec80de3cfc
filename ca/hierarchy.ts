import type { KeyObject, X509Certificate } from "node:crypto";
import type { AuthorityStatus } from "../protocol/index.ts";
import { publicKeyFingerprint, type SpiffeId, type TrustBundle, type X509Svid } from "../spiffe/index.ts";
import { type Authorities, active, issuerIn, type LeafIssuer, prepared, type TokenKey } from "./authorities.ts";
import type { SigningAuthority } from "./authority-rows.ts";
import type { Brought } from "./bring.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import type { HostNames } from "./extensions.ts";
import { createHierarchy, loadHierarchy } from "./hierarchy-store.ts";
import { pastHalf, validityFrom } from "./lifetimes.ts";
import { type SignedCertificate, signLeaf } from "./profile.ts";
import type { Rotatable } from "./rotatable.ts";
import {
  activate,
  bring,
  markCompromised,
  prepare,
  remove,
  renewSigner,
  reschedule,
  type UseTimes,
} from "./rotation-store.ts";

/** What to put in a leaf. */
export interface LeafRequest {
  readonly id: SpiffeId;
  readonly publicKey: KeyObject;
  readonly seconds: number;
  readonly hosts?: HostNames;
}

/** Root → intermediate → leaf, and the keys of tokens; private keys on disk, the rest in the store. */
export interface Hierarchy {
  trustBundle(): TrustBundle;
  /** SHA-256 over the trust bundle's document, lower-case hex. */
  bundleHash(): string;
  /** SHA-256 over the SubjectPublicKeyInfo of the root in use, lower-case hex. */
  rootFingerprint(): string;
  /** Whether a join token of this root can still be redeemed here: it is in the trust bundle. */
  knowsRoot(fingerprint: string): boolean;
  signer(): X509Svid;
  /** Throws `ERR_CA_JWT_REQUEST` where there is none. */
  tokenKey(): TokenKey;
  all(): readonly SigningAuthority[];
  authorities(): AuthorityStatus["authorities"];
  issue(request: LeafRequest): SignedCertificate;
  /** A leaf of the intermediate that lies prepared, with its chain; nothing where there is none. */
  issueProbe(request: LeafRequest): { readonly leaf: SignedCertificate; readonly chain: readonly Buffer[] } | undefined;
  /** A leaf's chain as it travels: leaf, intermediate, what is between that and the root; no root. */
  chainOf(leaf: SignedCertificate): readonly Buffer[];
  /** The root in use signed by the one before it, as long as that one is believed. */
  crossCertificates(): readonly X509Certificate[];
  /** Replaces a signer that is past half its life. */
  renewSigner(): Promise<void>;
  /** Makes the next of a kind, in the place of one that lies prepared; nothing is signed with it yet. `ERR_CA_OFFLINE`. */
  prepare(what: Rotatable, times?: UseTimes): Promise<void>;
  /** Lays what was brought beside what is in use; gives what it replaces. `ERR_CA_IMPORT`. */
  bring(brought: Brought): Promise<Rotatable>;
  reschedule(what: Rotatable, times: UseTimes): Promise<void>;
  /** Signs with what is prepared from now on. */
  activate(what: Rotatable): Promise<void>;
  /** Notes that the key in use may be in other hands. */
  markCompromised(what: "root" | "jwt"): Promise<void>;
  remove(gone: readonly SigningAuthority[]): Promise<void>;
}

/** Loads the hierarchy, or creates it on first use. Throws `ERR_CA_TRUST_DOMAIN`, `ERR_CA_STATE`, `ERR_CA_KEY_FILE`. */
export async function openHierarchy(context: CaContext, brought?: Brought): Promise<Hierarchy> {
  const loaded = await loadHierarchy(context);
  if (loaded !== undefined && brought !== undefined) throw founded(context);
  let current = loaded ?? (await createHierarchy(context, brought));
  const become = async (next: Promise<Authorities>): Promise<void> => {
    current = await next;
  };
  return {
    trustBundle: () => current.bundle,
    bundleHash: () => current.bundleHash,
    rootFingerprint: () => publicKeyFingerprint(current.root.certificate),
    knowsRoot: (fingerprint) => current.bundle.x509Authorities.some((one) => publicKeyFingerprint(one) === fingerprint),
    signer: () => current.signer,
    tokenKey: () => tokenKeyOf(current),
    all: () => current.all,
    authorities: () => describe(current),
    issue: (request) => issueLeaf(context, current.intermediate, request),
    issueProbe: (request) => issueProbe(context, current, request),
    chainOf: (leaf) => chainOf(current.intermediate, leaf),
    crossCertificates: () => crossCertificatesOf(current),
    renewSigner: async () => {
      if (isPastHalf(active(current.all, "policy-signer"), context.clock()))
        await become(renewSigner(context, current));
    },
    prepare: (what, times = {}) => become(prepare(context, current, what, times)),
    bring: async (brought) => {
      const { next, what } = await bring(context, current, brought);
      current = next;
      return what;
    },
    reschedule: (what, times) => become(reschedule(context, what, times)),
    activate: (what) => become(activate(context, current, what)),
    markCompromised: (what) => become(markCompromised(context, current, what)),
    remove: (gone) => (gone.length === 0 ? Promise.resolve() : become(remove(context, gone))),
  };
}

function founded({ trustDomain }: CaContext): CaError {
  return new CaError("ERR_CA_IMPORT", `the authority of \`${trustDomain}\` has been founded already`, {
    hint: "bring another root or intermediate into the running authority: `cellwall ca import`",
  });
}

/** Whether an authority in use is to be replaced. */
export function isPastHalf(authority: SigningAuthority | undefined, now: Date): boolean {
  return authority !== undefined && pastHalf(authority.notBefore, authority.notAfter, now);
}

function tokenKeyOf({ token }: Authorities): TokenKey {
  if (token !== undefined) return token;
  throw new CaError("ERR_CA_JWT_REQUEST", "the authority has no key for tokens");
}

function issueLeaf(context: CaContext, issuer: LeafIssuer, request: LeafRequest): SignedCertificate {
  const { seconds, ...leaf } = request;
  const validity = validityFrom(context.clock(), seconds, context.lifetimes);
  return signLeaf({ ...leaf, issuer, validity, random: context.random });
}

function issueProbe(context: CaContext, { all }: Authorities, request: LeafRequest) {
  const next = prepared(all, "intermediate");
  if (next === undefined) return undefined;
  const issuer = issuerIn(next);
  const leaf = issueLeaf(context, issuer, request);
  return { leaf, chain: chainOf(issuer, leaf) };
}

function chainOf({ certificate, links }: LeafIssuer, leaf: SignedCertificate): readonly Buffer[] {
  return [leaf.der, certificate.raw, ...links.map(({ raw }) => raw)];
}

function crossCertificatesOf({ all, root }: Authorities): readonly X509Certificate[] {
  const retired = all.filter((one) => one.role === "root" && one.state === "retired" && !one.compromised);
  return root.links.filter((link) => retired.some(({ publicKey }) => link.verify(publicKey)));
}

const SHOWN = ["root", "intermediate", "policy-signer", "jwt"] as const;

/** Those in use. */
function describe({ all }: Authorities): AuthorityStatus["authorities"] {
  const line = (one: SigningAuthority | undefined) =>
    one === undefined ? [] : [{ role: one.role, serial: one.serial, notAfter: one.notAfter.toISOString() }];
  return SHOWN.flatMap((role) => line(active(all, role)));
}
