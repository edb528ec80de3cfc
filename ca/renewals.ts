import type { CaStatus, NodeTrustReport, RotateOrder } from "../protocol/index.ts";
import type { Brought } from "./bring.ts";
import { caStatusOf } from "./ca-status.ts";
import type { CaChange } from "./certificate-authority.ts";
import type { CaContext } from "./context.ts";
import type { Hierarchy } from "./hierarchy.ts";
import type { PolicyBundles } from "./policy-bundles.ts";
import type { RevocationLists } from "./revocation-lists.ts";
import type { Revocations } from "./revocations.ts";
import { Rotation, type TrustNotice } from "./rotation.ts";
import { RenewalTimer, type Timers } from "./timers.ts";

/** What is renewed, and what that takes. */
export interface RenewalParts {
  readonly context: CaContext;
  readonly hierarchy: Hierarchy;
  readonly revocations: Revocations;
  readonly bundles: Pick<PolicyBundles, "renew">;
  /** Absent where nobody asked for them. */
  readonly lists: RevocationLists | undefined;
  readonly timers: Timers;
  readonly onProblem: (error: unknown) => void;
  /** Runs work that nothing else may run beside. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Told what has changed. */
  tell(what: CaChange): void;
  /** Notes how far the authority has come. */
  note(): Promise<void>;
}

/** Who signs, and what agents are told of it; compared to tell that it has changed. */
interface Signing {
  readonly signs: string;
  readonly told: string;
}

/**
 * Replaces in time what ends, and at once what it is told to: authorities, revocations, bundles. INVARIANT: whatever here gives a promise is
 * called while nothing else runs.
 */
export class Renewals {
  readonly #parts: RenewalParts;
  readonly #rotation: Rotation;
  readonly #timer: RenewalTimer;
  #stopped = false;
  /** Whether a look at what is due waits for its turn. */
  #looks = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#rotation = new Rotation({ ...parts, isNodeRevoked: (node) => parts.revocations.isNodeRevoked(node) });
    const hurry = () => this.#rotation.waiting;
    this.#timer = new RenewalTimer(parts.timers, parts.context.lifetimes, () => this.#byItself(), hurry);
  }

  /** What agents are told beside the trust bundle. */
  trustNotice(): TrustNotice {
    return { ...this.#rotation.notice(), ...this.#parts.lists?.notice() };
  }

  /** Does what is due, and tells of what has changed since `before`. */
  async renew(before: Signing = this.#signing()): Promise<void> {
    const { bundles, lists, note, revocations, tell } = this.#parts;
    await this.#rotation.advance();
    await lists?.renew();
    const after = this.#signing();
    if (after.signs !== before.signs) tell("signing");
    if (after.told !== before.told) tell("trust-bundle");
    if (await revocations.renew()) tell("revocations");
    if (await bundles.renew()) tell("bundle");
    await note();
  }

  /** Begins to replace an authority. Codes of `CertificateAuthority.rotate`. */
  rotate(order: RotateOrder): Promise<CaStatus> {
    return this.#after(() => this.#rotation.begin(order));
  }

  /** Takes authorities that were made elsewhere. `ERR_CA_IMPORT`. */
  bring(brought: Brought): Promise<CaStatus> {
    return this.#after(() => this.#parts.hierarchy.bring(brought));
  }

  /** What expires when, who holds what, who has not confirmed what. */
  status(): Promise<CaStatus> {
    return caStatusOf({ ...this.#parts, rotation: this.#rotation });
  }

  /** What an agent says of its sidecars; a replacement that waits for them goes on. */
  reported(node: string, report: NodeTrustReport): void {
    this.#rotation.reported(node, report);
    if (!this.#rotation.waiting || this.#looks) return;
    this.#looks = true;
    void this.#byItself();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.stop();
  }

  /** Changes who signs, now or later, and goes on from there. */
  async #after(change: () => Promise<unknown>): Promise<CaStatus> {
    const before = this.#signing();
    await change();
    await this.renew(before);
    this.#timer.again();
    return this.status();
  }

  #signing(): Signing {
    const { hierarchy } = this.#parts;
    const signs = hierarchy.all().filter(({ state }) => state === "active");
    return {
      signs: signs.map(({ serial }) => serial).join(),
      told: JSON.stringify([hierarchy.bundleHash(), this.trustNotice()]),
    };
  }

  /** A report that comes while it looks is worth another look. */
  #look(): Promise<void> {
    this.#looks = false;
    return this.renew();
  }

  async #byItself(): Promise<void> {
    try {
      if (!this.#stopped) await this.#parts.exclusively(() => this.#look());
    } catch (error) {
      if (!this.#stopped) this.#parts.onProblem(error);
    }
  }
}
