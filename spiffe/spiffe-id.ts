import { refuseSegment, type ScanRefusal, scanId } from "./scan.ts";
import { errorOf } from "./spiffe-error.ts";
import { parseTrustDomain, type TrustDomain } from "./trust-domain.ts";

/** A SPIFFE ID, or why the text is none. */
export type SpiffeIdResult = { readonly ok: true; readonly id: SpiffeId } | ScanRefusal;

/**
 * A valid SPIFFE ID (SPIFFE-ID, section 2). One identity has exactly one text, so IDs are equal when their texts are.
 * Built only by parsing; frozen.
 */
export class SpiffeId {
  readonly trustDomain: TrustDomain;
  /** `""` or `/a/b`. */
  readonly path: string;
  readonly #text: string;

  private constructor(text: string) {
    // INVARIANT: scanned here too, so that not even code without types can build one that is not valid.
    const scanned = scanId(text);
    if (!scanned.ok) throw errorOf(scanned);
    this.trustDomain = parseTrustDomain(scanned.trustDomain);
    this.path = scanned.path;
    this.#text = text;
    Object.freeze(this);
  }

  /** Reads a SPIFFE ID; refuses with the codes of `SpiffeIdErrorCode`, never throws. */
  static tryParse(text: string): SpiffeIdResult {
    const scanned = scanId(text);
    return scanned.ok ? { ok: true, id: new SpiffeId(text) } : scanned;
  }

  equals(other: SpiffeId): boolean {
    return this.#text === other.#text;
  }

  /** The whole ID, e.g. `spiffe://shop.example/web`. */
  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}

/** Reads a SPIFFE ID; refuses with the codes of `SpiffeIdErrorCode`, never throws. */
export function tryParseSpiffeId(text: string): SpiffeIdResult {
  return SpiffeId.tryParse(text);
}

/** Reads a SPIFFE ID; throws `SpiffeError` with the codes of `SpiffeIdErrorCode`. */
export function parseSpiffeId(text: string): SpiffeId {
  const result = SpiffeId.tryParse(text);
  if (!result.ok) throw errorOf(result);
  return result.id;
}

/**
 * Puts an ID together from a trust domain and path segments, each checked on its own, so that no segment can smuggle
 * in a slash. Refuses with the codes of `SpiffeIdErrorCode`.
 */
export function tryJoinSpiffeId(trustDomain: TrustDomain, segments: readonly string[]): SpiffeIdResult {
  for (const segment of segments) {
    const refusal = refuseSegment(segment);
    if (refusal !== undefined) return refusal;
  }
  return SpiffeId.tryParse(`spiffe://${[trustDomain, ...segments].join("/")}`);
}

/** As `tryJoinSpiffeId`, throwing `SpiffeError`. */
export function joinSpiffeId(trustDomain: TrustDomain, segments: readonly string[]): SpiffeId {
  const result = tryJoinSpiffeId(trustDomain, segments);
  if (!result.ok) throw errorOf(result);
  return result.id;
}
