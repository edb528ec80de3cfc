import { printable } from "../../printable.ts";
import type { DraftClaim, DraftJwt, DraftProvider } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import type { Suspected } from "../draft/suspects.ts";
import { listed, TokenProviders } from "../draft/token-providers.ts";
import type { ImportOptions } from "../importer.ts";
import type { Fields } from "../translate/fields.ts";

/** The token providers of Consul, by its names for them, and what intentions ask of their tokens. */
export class ConsulTokens {
  readonly suspects: Suspected[] = [];
  readonly #named = new Map<string, DraftProvider>();
  readonly #tokens: TokenProviders;
  readonly #notes: Notes;

  constructor(entries: readonly Fields[], options: ImportOptions, notes: Notes) {
    this.#notes = notes;
    this.#tokens = new TokenProviders(options, options.audiences ?? []);
    for (const provider of this.#tokens.known) this.#named.set(provider.name, provider);
    for (const entry of entries) this.#add(entry.map("spec") ?? entry, nameOf(entry));
  }

  get providers(): readonly DraftProvider[] {
    return this.#tokens.known;
  }

  #add(entry: Fields, name: string): void {
    const construct = `jwt-provider ${printable(name, 80)}`;
    const told = this.#tokens.tell({
      name,
      issuer: entry.text("issuer"),
      audiences: entry.texts("audiences"),
      jwks: keysOf(entry),
      otherPlaces: isElsewhere(entry),
    });
    const [place, notes] = [entry.place(), this.#notes];
    if ("problem" in told) {
      notes.add(place, construct, "unsupported", `${told.problem}; its tokens count for nothing`);
      return;
    }
    const { provider, lent } = told;
    this.#named.set(name, provider);
    notes.add(place, construct, "exact", `it is the Mesh's token provider \`${provider.name}\``);
    if (lent)
      notes.add(
        place,
        construct,
        "narrower",
        `tokens for any audience count there, here those for ${listed(provider.audiences)}`,
        { scope: "other-audience" },
      );
  }

  /** What a `jwt` block asks for: tokens one of which must be there. */
  asked(jwt: Fields, construct: string): readonly DraftJwt[] {
    return jwt.maps("providers").flatMap((one) => {
      const name = one.text("name") ?? "";
      const provider = this.#named.get(name);
      if (provider === undefined) {
        const reason = `no jwt-provider \`${printable(name, 80)}\` that counts here; its tokens are not taken`;
        this.#notes.add(one.place(), construct, "unsupported", reason);
        return [];
      }
      this.#notes.add(one.place(), construct, "narrower", "a token without `exp` counts as none", {
        scope: "endless-token",
      });
      const claims = one.maps("verifyClaims").map((claim) => this.#claim(claim, provider, construct));
      return claims.length === 0
        ? [{ provider: provider.name }]
        : [{ provider: provider.name, claims: Object.fromEntries(claims) }];
    });
  }

  #claim(claim: Fields, { name: provider, issuer }: DraftProvider, construct: string): readonly [string, DraftClaim] {
    const path = claim.texts("path");
    const [name, value] = [path.join("."), claim.text("value") ?? ""];
    const place = claim.place();
    if (path.length !== 1 || !["iss", "sub"].includes(name))
      this.suspects.push({
        say: (fidelity, reason, scope, counterExample) =>
          this.#notes.add(place, construct, fidelity, reason, {
            ...(scope === undefined ? {} : { scope }),
            ...(counterExample === undefined ? {} : { counterExample }),
          }),
        scope: "odd-claim",
        reason: "a claim that is a list of this text alone, or one name with dots, is taken as well",
        change: { claims: { [provider]: { iss: issuer, [name]: [value] } } },
      });
    return [name, value];
  }
}

function nameOf(entry: Fields): string {
  return entry.text("name") ?? entry.map("metadata")?.text("name") ?? "";
}

/** Keys that the entry holds, or the address they are fetched from. */
function keysOf(entry: Fields): DraftProvider["jwks"] | undefined {
  const keys = entry.map("jsonWebKeySet");
  const encoded = keys?.map("local")?.text("jwks");
  if (encoded !== undefined) return { inline: Buffer.from(encoded, "base64").toString("utf8") };
  const url = keys?.map("remote")?.text("uri");
  return url === undefined ? undefined : { url };
}

/** Whether a token may stand elsewhere than after `Bearer ` in the header `authorization`. */
function isElsewhere(entry: Fields): boolean {
  return entry.maps("locations").some((location) => {
    const header = location.map("header");
    const usual =
      header?.text("name")?.toLowerCase() === "authorization" && header.text("valuePrefix")?.trim() === "Bearer";
    return !usual;
  });
}
