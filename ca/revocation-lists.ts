import { issuerIn } from "./authorities.ts";
import type { SigningAuthority } from "./authority-rows.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { pastHalf } from "./lifetimes.ts";
import type { Validity } from "./profile.ts";
import { signRevocationList } from "./revocation-list.ts";
import type { Revocations } from "./revocations.ts";

/** A signed list of revoked certificates (CRL). */
export interface RevocationList {
  readonly der: Buffer;
  /** Nothing that it covers is believed with it after that. */
  readonly until: Date;
}

const LIST_SECONDS = 86_400;

/**
 * Lists of every certificate authority of the trust domain, next and retired ones included, for verifiers that ask for them.
 *
 * INVARIANT: all or none: where one authority of a chain has no list, a verifier that was given another believes nobody.
 */
export class RevocationLists {
  readonly #parts: { readonly context: CaContext; readonly hierarchy: Hierarchy; readonly revocations: Revocations };
  #lists: readonly RevocationList[] = [];
  #validity: Validity | undefined;
  #made = "";
  #problem: string | undefined;

  constructor(parts: {
    readonly context: CaContext;
    readonly hierarchy: Hierarchy;
    readonly revocations: Revocations;
  }) {
    this.#parts = parts;
  }

  /** The newest; none where the whole chain cannot be covered. */
  get current(): readonly RevocationList[] {
    return this.#lists;
  }

  /** Why there are none. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Signs anew what has changed or is past its half. */
  async renew(): Promise<void> {
    const { context, hierarchy, revocations } = this.#parts;
    const signers = hierarchy.all().filter(({ role }) => role === "root" || role === "intermediate");
    this.#problem = signers.map(problemOf).find((problem) => problem !== undefined);
    if (this.#problem !== undefined) {
      [this.#lists, this.#made] = [[], ""];
      return;
    }
    const now = context.clock();
    const what = JSON.stringify([revocations.current().document.sequence, signers.map(({ serial }) => serial)]);
    const isFresh = this.#validity !== undefined && !pastHalf(this.#validity.notBefore, this.#validity.notAfter, now);
    if (what === this.#made && isFresh) return;
    const rows = await context.db.selectFrom("ca_revoked_serial").selectAll().orderBy("serial").execute();
    const revoked = rows.map(({ revoked_at, serial }) => ({ serial, at: new Date(revoked_at) }));
    const validity = validityAt(now, context);
    this.#lists = signers.map((signer) => ({
      der: signRevocationList(issuerIn(signer), validity, revoked),
      until: validity.notAfter,
    }));
    [this.#validity, this.#made] = [validity, what];
  }

  /** `ERR_CA_OFFLINE` where the whole chain cannot be covered. */
  demandWhole(): void {
    if (this.#problem === undefined) return;
    throw new CaError("ERR_CA_OFFLINE", `revocation lists cannot cover the whole chain: ${this.#problem}`, {
      hint: "start without `--crl`: sidecars refuse what is revoked at the next request in any case",
    });
  }
}

function validityAt(now: Date, { lifetimes }: CaContext): Validity {
  const seconds = Math.floor(now.getTime() / 1000);
  const at = (second: number): Date => new Date(second * 1000);
  return { notBefore: at(seconds - lifetimes.backdateSeconds), notAfter: at(seconds + LIST_SECONDS) };
}

function problemOf({ links, privateKey, role, serial }: SigningAuthority): string | undefined {
  if (privateKey?.asymmetricKeyType !== "ec") return `the key of the ${role} \`${serial}\` is not kept here`;
  if (role === "intermediate" && links.length > 0)
    return `what stands between the intermediate \`${serial}\` and its root is signed elsewhere`;
  return undefined;
}
