import { createHash, type KeyObject, type X509Certificate } from "node:crypto";
import { formatTrustBundle, parseX509Svid, type TrustBundle, type X509Svid } from "../spiffe/index.ts";
import { brokenState, type SigningAuthority } from "./authority-rows.ts";
import type { CaContext } from "./context.ts";
import { REFRESH_HINT_SECONDS } from "./lifetimes.ts";
import { type Issuer, issuerOf } from "./profile.ts";
import type { AuthorityRole } from "./tables.ts";

/** A signing certificate of this authority whose key is at hand, with what its leaves travel with. */
export interface LeafIssuer extends Issuer {
  readonly links: readonly X509Certificate[];
}

/** A token key whose private half is at hand. */
export interface TokenKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly notAfter: Date;
}

/** The signing authorities at one moment, and what follows from them. */
export interface Authorities {
  readonly all: readonly SigningAuthority[];
  readonly root: SigningAuthority & { readonly certificate: X509Certificate };
  readonly intermediate: LeafIssuer;
  readonly signer: X509Svid;
  readonly token: TokenKey | undefined;
  readonly bundle: TrustBundle;
  /** SHA-256 over the bundle's document, lower-case hex: what sidecars confirm. */
  readonly bundleHash: string;
}

/** Puts together what the store holds; throws `ERR_CA_STATE` where it is no chain. */
export function authoritiesOf(context: CaContext, all: readonly SigningAuthority[], sequence: bigint): Authorities {
  const root = certified(all, "root");
  const intermediate = issuerIn(certified(all, "intermediate"));
  const signer = certified(all, "policy-signer");
  const { privateKey } = signer;
  if (privateKey === undefined) throw brokenState("the policy signer has no key");
  demandChain(root.certificate, intermediate);
  if (!signer.certificate.verify(intermediate.certificate.publicKey)) throw noChain();
  const bundle = bundleOf(context, all, sequence);
  const chain = [signer.certificate.raw, intermediate.certificate.raw, ...intermediate.links.map(({ raw }) => raw)];
  return Object.freeze({
    all,
    root,
    intermediate,
    signer: parseX509Svid({ chain, privateKey }),
    token: tokenKeyOf(active(all, "jwt")),
    bundle,
    bundleHash: createHash("sha256").update(formatTrustBundle(bundle)).digest("hex"),
  });
}

/** The one of a role in use. */
export function active(all: readonly SigningAuthority[], role: AuthorityRole): SigningAuthority | undefined {
  return all.find((one) => one.role === role && one.state === "active");
}

/** The one of a role that is next, where there is one. */
export function prepared(all: readonly SigningAuthority[], role: AuthorityRole): SigningAuthority | undefined {
  return all.find((one) => one.role === role && one.state === "prepared");
}

/** An authority as an issuer; throws `ERR_CA_STATE` where its key is not at hand. */
export function issuerIn(authority: SigningAuthority): LeafIssuer {
  const { certificate, links, privateKey, role } = authority;
  if (certificate === undefined || privateKey === undefined) throw brokenState(`the ${role}'s key is not at hand`);
  return Object.freeze({ ...issuerOf(certificate, privateKey), links });
}

function certified(all: readonly SigningAuthority[], role: AuthorityRole) {
  const one = active(all, role);
  const certificate = one?.certificate;
  if (one === undefined || certificate === undefined) throw brokenState(`the store holds no ${role} certificate`);
  return { ...one, certificate };
}

function demandChain(root: X509Certificate, { certificate, links }: LeafIssuer): void {
  let below = certificate;
  for (const above of [...links, root]) {
    if (!below.verify(above.publicKey)) throw noChain();
    below = above;
  }
}

function noChain() {
  return brokenState("the stored certificates do not form a chain");
}

function tokenKeyOf(authority: SigningAuthority | undefined): TokenKey | undefined {
  if (authority?.privateKey === undefined) return undefined;
  return { kid: authority.serial, privateKey: authority.privateKey, notAfter: authority.notAfter };
}

/** Roots and token keys, prepared and retired ones included (B-1): oldest first, so that order tells nothing. */
function bundleOf(context: CaContext, all: readonly SigningAuthority[], sequence: bigint): TrustBundle {
  const oldestFirst = all.toReversed();
  const roots = oldestFirst.filter(({ role }) => role === "root");
  const tokens = oldestFirst.filter(({ role }) => role === "jwt");
  return Object.freeze({
    trustDomain: context.trustDomain,
    x509Authorities: Object.freeze(roots.flatMap(({ certificate }) => certificate ?? [])),
    jwtAuthorities: new Map(tokens.map(({ serial, publicKey }) => [serial, publicKey])),
    sequence,
    refreshHintSeconds: REFRESH_HINT_SECONDS,
  });
}
