import type { SpiffeId, TrustDomain } from "../spiffe/index.ts";
import type { KeyFolder } from "./key-folder.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { RandomBytes } from "./profile.ts";
import type { CaDatabase } from "./tables.ts";

/**
 * Points between two steps of one change. `signed`: signed, not in the ledger. `recorded`: in the ledger, not answered.
 * `migrated`: tables changed, not committed. `manifest`: manifest written, shards not. `key`: a key on disk that the store does
 * not know. `exchanged`: another authority signs, not committed. `replaced`: committed, old keys not removed.
 */
export type CrashPoint = "signed" | "recorded" | "migrated" | "manifest" | "key" | "exchanged" | "replaced";

/** What every part of the authority stands on. */
export interface CaContext {
  readonly trustDomain: TrustDomain;
  readonly db: CaDatabase;
  readonly keys: KeyFolder;
  readonly lifetimes: Lifetimes;
  readonly clock: () => Date;
  readonly random: RandomBytes;
  /** `spiffe://<trust domain>/cellwall/policy-signer` */
  readonly signerId: SpiffeId;
  /** `iss` of JWT-SVIDs; none where it is undefined. */
  readonly jwtIssuer: () => string | undefined;
  /** Called between steps that must not come apart; tests end the process there. */
  readonly reached: (point: CrashPoint) => void;
}
