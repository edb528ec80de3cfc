import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { systemId, tryParseSpiffeId, verifyX509Svid } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { outlastSeconds, validityFrom } from "./lifetimes.ts";
import { issuerOf, signLeaf } from "./profile.ts";
import { spkiOf } from "./public-key.ts";

/** A root and an intermediate below it that somebody has brought. */
export interface BroughtChain {
  /** Self-signed: Envoy takes nothing else for an anchor. */
  readonly root: X509Certificate;
  /** The intermediate, then what is between it and the root; no root. */
  readonly chain: readonly X509Certificate[];
  /** The intermediate's key. */
  readonly key: KeyObject;
}

/**
 * Checks that leaves of the intermediate will be believed: every link one by one, so that the error names the certificate, and
 * last by a leaf that is made and verified as any peer would. Throws `ERR_CA_IMPORT`.
 */
export function demandUsable(context: CaContext, brought: BroughtChain): void {
  const { chain, key, root } = brought;
  const [intermediate] = chain;
  if (intermediate === undefined) throw refused("there is no intermediate");
  demandSelfSigned(root);
  for (const one of [...chain, root]) demandAuthority(context, one);
  [...chain, root].reduce((below, above) => {
    if (below.checkIssued(above) && below.verify(above.publicKey)) return above;
    throw refused(
      `${nameOf(below)} is not signed by ${nameOf(above)}`,
      "bring the chain in order: the intermediate first, the root apart",
    );
  });
  if (!spkiOf(createPublicKey(key)).equals(spkiOf(intermediate.publicKey))) {
    throw refused(`the key is not that of ${nameOf(intermediate)}`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw refused("the intermediate's key is not on P-256", "make the request with `cellwall ca request`");
  }
  demandLeaf(context, brought, intermediate);
}

/** Throws `ERR_CA_IMPORT` for a root that is none. */
export function demandSelfSigned(root: X509Certificate): void {
  if (root.checkIssued(root) && root.verify(root.publicKey)) return;
  throw refused(
    `the root ${nameOf(root)} is not self-signed`,
    "give the root itself; what is between goes with the intermediate",
  );
}

function demandAuthority({ clock, lifetimes, trustDomain }: CaContext, one: X509Certificate): void {
  if (!one.ca) throw refused(`${nameOf(one)} is no certificate authority`);
  const leftSeconds = (new Date(one.validTo).getTime() - clock().getTime()) / 1000;
  const needed = 2 * outlastSeconds(lifetimes);
  if (leftSeconds < needed) {
    throw refused(
      `${nameOf(one)} ends ${one.validTo}, too soon for certificates of ${lifetimes.agentSeconds} s`,
      `it must hold for ${needed} s at least`,
    );
  }
  const uris = (one.subjectAltName ?? "").split(", ").filter((name) => name.startsWith("URI:"));
  const foreign = uris.find((name) => name !== `URI:spiffe://${trustDomain}`);
  if (foreign === undefined) return;
  const other = tryParseSpiffeId(foreign.slice(4));
  throw refused(
    `${nameOf(one)} is of ${other.ok ? `\`${other.id}\`` : "another name"}, not of \`spiffe://${trustDomain}\``,
  );
}

/** INVARIANT: what nobody would believe is never signed with. */
function demandLeaf(context: CaContext, { chain, key, root }: BroughtChain, intermediate: X509Certificate): void {
  const { clock, lifetimes, random, trustDomain } = context;
  const id = systemId(trustDomain, "authority");
  const validity = validityFrom(clock(), lifetimes.svidSeconds, lifetimes);
  const leaf = signLeaf({ id, publicKey: createPublicKey(key), issuer: issuerOf(intermediate, key), validity, random });
  const bundle = { trustDomain, x509Authorities: [root], jwtAuthorities: new Map<string, KeyObject>() };
  const verified = verifyX509Svid([new X509Certificate(leaf.der), ...chain], bundle, { at: clock() });
  if (!verified.ok) throw refused(`a certificate of it would not be believed: ${verified.message}`);
}

function nameOf(one: X509Certificate): string {
  const subject = one.subject.split("\n").join(", ");
  return `\`${subject === "" ? one.serialNumber : subject}\``;
}

function refused(message: string, hint?: string): CaError {
  return new CaError("ERR_CA_IMPORT", `what was brought is refused: ${message}`, { hint });
}
