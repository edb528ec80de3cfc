import type { TrustBundles } from "../protocol/index.ts";
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

/** What the lists are made of. */
export interface RevocationListsParts {
  readonly context: CaContext;
  readonly hierarchy: Hierarchy;
  readonly revocations: Revocations;
  /** Told once of what takes the lists away. */
  readonly onProblem: (error: unknown) => void;
}

const LIST_SECONDS = 86_400;

/**
 * Lists of every certificate authority of the trust domain, next and retired ones included, for verifiers that ask for them.
 *
 * INVARIANT: all or none: where one authority of a chain has no list, a verifier that was given another believes nobody.
 */
export class RevocationLists {
  readonly #parts: RevocationListsParts;
  #lists: readonly RevocationList[] = [];
  #validity: Validity | undefined;
  #made = "";
  #problem: string | undefined;

  constructor(parts: RevocationListsParts) {
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

  /** What agents are told. */
  notice(): Pick<TrustBundles, "revocationLists"> {
    if (this.#lists.length === 0) return {};
    const told = ({ der, until }: RevocationList) => ({ der: der.toString("base64url"), until: until.toISOString() });
    return { revocationLists: this.#lists.map(told) };
  }

  /** Signs anew what has changed or is past its half. */
  async renew(): Promise<void> {
    const { context, hierarchy, revocations } = this.#parts;
    const signers = hierarchy.all().filter(({ role }) => role === "root" || role === "intermediate");
    const problem = signers.map(problemOf).find((found) => found !== undefined);
    if (problem !== undefined) return this.#takeBack(problem);
    this.#problem = undefined;
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

  #takeBack(problem: string): void {
    const had = this.#lists.length > 0;
    [this.#lists, this.#made, this.#problem] = [[], "", problem];
    if (had) this.#parts.onProblem(offline(problem));
  }

  /** `ERR_CA_OFFLINE` where the whole chain cannot be covered. */
  demandWhole(): void {
    if (this.#problem !== undefined) throw offline(this.#problem);
  }
}

function offline(problem: string): CaError {
  return new CaError("ERR_CA_OFFLINE", `revocation lists cannot cover the whole chain: ${problem}`, {
    hint: "start without `--crl`: sidecars refuse what is revoked at the next request in any case",
  });
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
