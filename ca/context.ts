import type { SpiffeId, TrustDomain } from "../spiffe/index.ts";
import type { KeyFolder } from "./key-folder.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { RandomBytes } from "./profile.ts";
import type { CaDatabase } from "./tables.ts";

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
}
