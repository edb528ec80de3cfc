import { printable } from "../../printable.ts";
import type { ImportOptions } from "../importer.ts";
import type { DraftProvider } from "./draft.ts";
import { Names } from "./names.ts";

/** Whose tokens the source verifies, and how. */
export interface SourceProvider {
  /** The source's own name for it; made of the issuer where it has none. */
  readonly name?: string;
  readonly issuer: string | undefined;
  /** Empty: tokens for any audience. */
  readonly audiences: readonly string[];
  readonly jwks: DraftProvider["jwks"] | undefined;
  /** Whether a token is read elsewhere than in the header `authorization`. */
  readonly otherPlaces: boolean;
}

/** A token provider for the source's, or why there can be none. `lent` says that its audiences are not the source's. */
export type Told = { readonly provider: DraftProvider; readonly lent: boolean } | { readonly problem: string };

/** The token providers of the Mesh that is there or is written. */
export class TokenProviders {
  readonly #known: DraftProvider[];
  readonly #names = new Names();
  readonly #exists: boolean;
  readonly #audiences: readonly string[];

  /** `audiences` are lent to providers whose source names none. */
  constructor(options: ImportOptions, audiences: readonly string[]) {
    this.#known = [...(options.jwtProviders ?? [])];
    this.#exists = options.registry === "exists";
    this.#audiences = audiences;
    for (const { name } of this.#known) this.#names.take(name);
  }

  get known(): readonly DraftProvider[] {
    return this.#known;
  }

  /** The provider of the same issuer, or a new one. */
  tell(source: SourceProvider): Told {
    const found = this.#known.find(({ issuer }) => issuer === source.issuer);
    const audiences = source.audiences.length > 0 ? source.audiences : this.#audiences;
    const problem = this.#problemOf(source, audiences, found);
    if (problem !== undefined) return { problem };
    const lent = source.audiences.length === 0;
    if (found !== undefined) return { provider: found, lent };
    const { issuer = "", jwks } = source;
    if (jwks === undefined) return { problem: NO_KEYS };
    const text = source.name ?? issuer.replace(/^https?:\/\//, "").slice(0, 40);
    const provider = { name: this.#names.take(text), issuer, audiences, jwks };
    this.#known.push(provider);
    return { provider, lent };
  }

  #problemOf(
    { issuer, jwks, otherPlaces, audiences: named }: SourceProvider,
    audiences: readonly string[],
    found: DraftProvider | undefined,
  ): string | undefined {
    if (issuer === undefined) return "whose tokens they are is not said, which a token provider here says";
    if (otherPlaces) return "a token is read of the header `authorization` alone, not of the places that it names";
    if (found !== undefined)
      return named.length === 0 || sameTexts(named, found.audiences)
        ? undefined
        : `the token provider \`${found.name}\` of the same issuer takes tokens for ${listed(found.audiences)}`;
    if (this.#exists) return "the Mesh has no token provider of this issuer; add it to `jwtProviders`";
    if (audiences.length === 0)
      return "it takes tokens for any audience, a token provider here names whom they are for";
    if (jwks === undefined) return NO_KEYS;
    if ("url" in jwks && !jwks.url.startsWith("https://")) return "the issuer's keys are fetched over https only";
    return undefined;
  }
}

const NO_KEYS = "where the issuer's keys are is not said";

/** Texts in backquotes, parted by commas. */
export const listed = (texts: readonly string[]): string =>
  texts.map((text) => `\`${printable(text, 60)}\``).join(", ");

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}
