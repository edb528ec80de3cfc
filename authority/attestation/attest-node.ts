import { createHash } from "node:crypto";
import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { type Node, printable } from "../../policies/index.ts";
import { CLOCK_TOLERANCE_SECONDS, MAX_TOKEN, TOKEN_ALGORITHMS } from "../api/oidc-identity.ts";
import type { IssuerKeys, KeySource } from "../issuer-keys.ts";
import { lacksOf, type TokenWay } from "./token-claims.ts";

/** A token, and the node that its bearer means to be, where one token fits several. */
export interface AttestationAttempt {
  readonly token: string;
  readonly node?: string | undefined;
}

/** What a token proves. */
export type Attestation =
  | {
      readonly kind: "attested";
      readonly node: string;
      readonly evidence: string;
      /** Names the token, whatever its signature's spelling. */
      readonly digest: string;
      readonly expiresAt: Date;
      /** Whether the token is for one use; a Kubernetes token stays in its file until it is replaced. */
      readonly once: boolean;
    }
  /** `verified`: an issuer that a document names has signed it, so that its bearer is somebody. */
  | { readonly kind: "refused"; readonly verified: boolean; readonly evidence: string; readonly reason: string }
  /** The issuer's keys cannot be had now. */
  | { readonly kind: "unavailable"; readonly issuer: string };

interface Entry {
  readonly node: string;
  readonly way: TokenWay;
}

type Verified =
  | { readonly kind: "verified"; readonly payload: JWTPayload }
  | { readonly kind: "bad"; readonly reason: string }
  | { readonly kind: "unavailable" };

/** Codes of `jose` that tell of the keys, not of the token. */
const KEY_TROUBLE: ReadonlySet<string> = new Set(["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"]);
const MAX_LIFE_SECONDS = 24 * 3600;

/**
 * The node that a token proves its bearer to be, by the `attest` of the Node documents.
 *
 * SECURITY: only issuers that a document names are ever asked for keys; issuer, audience and every claim must be exactly
 * as it says, the token must end, and within a day of its issue.
 */
export async function attestNode(
  { token, node: wanted }: AttestationAttempt,
  { nodes, keys, at }: { readonly nodes: readonly Node[]; readonly keys: IssuerKeys; readonly at: Date },
): Promise<Attestation> {
  const claimed = issuerOf(token);
  if (claimed === undefined) return refusal("a text that is no JSON Web Token", "it cannot be read");
  const evidence = `token of \`${printable(claimed, 200)}\``;
  const all = nodes.flatMap((one) => one.attest.flatMap((way) => entryOf(one.name, way)));
  const entries = all.filter(({ way }) => issuerOfWay(way) === claimed);
  if (entries.length === 0) return refusal(evidence, noSuchIssuer(all));
  const payloads = await verifyAll(entries, { token, keys, at });
  const good = entries.flatMap((entry) => {
    const verified = payloads.get(keyOf(entry.way));
    return verified?.kind === "verified" ? [{ entry, payload: verified.payload }] : [];
  });
  const [first] = good;
  if (first === undefined) {
    const bad = [...payloads.values()].find((each) => each.kind === "bad");
    return bad?.kind === "bad" ? refusal(evidence, bad.reason) : { kind: "unavailable", issuer: claimed };
  }
  const seen = `${evidence} for \`${printable(first.payload.sub ?? "", 200)}\``;
  return judge(good, { token, wanted, seen });
}

/** The entries that the token fits, or the one that it nearly fits. */
function judge(
  good: readonly { readonly entry: Entry; readonly payload: JWTPayload }[],
  { token, wanted, seen }: { readonly token: string; readonly wanted: string | undefined; readonly seen: string },
): Attestation {
  const judged = good.map(({ entry, payload }) => ({ entry, payload, lacks: lacksOf(entry.way, payload) }));
  const fitting = judged.filter(({ lacks }) => lacks.length === 0);
  const names = [...new Set(fitting.map(({ entry }) => entry.node))].sort();
  const chosen = fitting.find(({ entry }) => entry.node === (wanted ?? names[0]));
  if (chosen !== undefined && (wanted !== undefined || names.length === 1)) {
    const { entry, payload } = chosen;
    return {
      kind: "attested",
      node: entry.node,
      evidence: `${entry.way.kind} ${seen}`,
      digest: digestOf(token),
      expiresAt: new Date(((payload.exp ?? 0) + CLOCK_TOLERANCE_SECONDS) * 1000),
      once: entry.way.kind === "oidc",
    };
  }
  if (names.length > 0) return refusal(seen, fitsOthers(names, wanted), true);
  const rank = ({ entry, lacks }: (typeof judged)[number]): number => lacks.length + (entry.node === wanted ? -100 : 0);
  const [nearest] = judged.toSorted((a, b) => rank(a) - rank(b));
  if (nearest === undefined) throw new TypeError("a token was judged by no entry");
  const { entry, lacks } = nearest;
  return refusal(
    seen,
    `no node takes it; nearest is \`${entry.node}\` by \`${entry.way.kind}\`: ${lacks.join("; ")}`,
    true,
  );
}

function fitsOthers(names: readonly string[], wanted: string | undefined): string {
  const fits = names
    .slice(0, 5)
    .map((name) => `\`${name}\``)
    .join(", ");
  if (wanted === undefined) return `it fits several nodes, ${fits}, and does not say which is meant`;
  return `it fits ${fits}, not \`${printable(wanted, 63)}\``;
}

function noSuchIssuer(all: readonly Entry[]): string {
  const issuers = [...new Set(all.map(({ way }) => issuerOfWay(way)))].sort().slice(0, 3);
  if (issuers.length === 0) return "no node attests by token";
  return `no node takes tokens of this issuer; known are ${issuers.map((issuer) => `\`${issuer}\``).join(", ")}`;
}

async function verifyAll(
  entries: readonly Entry[],
  context: { readonly token: string; readonly keys: IssuerKeys; readonly at: Date },
): Promise<ReadonlyMap<string, Verified>> {
  const sources = new Map(entries.map(({ way }) => [keyOf(way), way]));
  const verified = [...sources].map(async ([key, way]) => [key, await verify(way, context)] as const);
  return new Map(await Promise.all(verified));
}

async function verify(
  way: TokenWay,
  { token, keys, at }: { readonly token: string; readonly keys: IssuerKeys; readonly at: Date },
): Promise<Verified> {
  const issuer = issuerOfWay(way);
  try {
    const { payload } = await jwtVerify(token, await keys.of(issuer, sourceOf(way)), {
      issuer,
      algorithms: TOKEN_ALGORITHMS,
      requiredClaims: ["exp", "sub", "aud"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: at,
    });
    const from = payload.iat ?? Math.floor(at.getTime() / 1000);
    if ((payload.exp ?? 0) - from <= MAX_LIFE_SECONDS) return { kind: "verified", payload };
    return { kind: "bad", reason: "it is good for more than a day: let the issuer make shorter ones" };
  } catch (error) {
    // Anything else than a bad token is trouble on the way to the keys.
    if (error instanceof errors.JOSEError && !KEY_TROUBLE.has(error.code)) {
      return { kind: "bad", reason: badReason(error) };
    }
    return { kind: "unavailable" };
  }
}

function badReason(error: errors.JOSEError): string {
  switch (error.code) {
    case "ERR_JWT_EXPIRED":
      return "it has expired";
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return "its signature is not the issuer's";
    case "ERR_JWKS_NO_MATCHING_KEY":
      return "the issuer has no such key";
    case "ERR_JOSE_ALG_NOT_ALLOWED":
      return "it is signed by an algorithm that is not taken";
    default:
      return `it is not valid: ${printable(error.message, 160)}`;
  }
}

function entryOf(node: string, way: Node["attest"][number]): readonly Entry[] {
  return way.kind === "joinToken" ? [] : [{ node, way }];
}

function issuerOfWay(way: TokenWay): string {
  return way.kind === "oidc" ? way.proof.issuer : way.account.issuer;
}

function sourceOf(way: TokenWay): KeySource {
  return way.kind === "oidc" ? way.proof.jwks : way.account.jwks;
}

function keyOf(way: TokenWay): string {
  return JSON.stringify([issuerOfWay(way), sourceOf(way)]);
}

function issuerOf(token: string): string | undefined {
  if (token.length > MAX_TOKEN) return undefined;
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** SECURITY: of what is signed only: the same token can have several signatures, and spellings of one. */
function digestOf(token: string): string {
  return createHash("sha256")
    .update(token.slice(0, token.lastIndexOf(".")))
    .digest("hex");
}

function refusal(evidence: string, reason: string, verified = false): Attestation {
  return { kind: "refused", verified, evidence, reason };
}
