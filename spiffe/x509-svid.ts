import type { KeyObject, X509Certificate } from "node:crypto";
import type { SpiffeId } from "./spiffe-id.ts";

/** An X.509-SVID with its private key (X509-SVID, section 2). */
export interface X509Svid {
  readonly id: SpiffeId;
  /** Leaf first, then intermediates; never the root. */
  readonly chain: readonly X509Certificate[];
  readonly privateKey: KeyObject;
  /** The leaf's serial: lower-case hex without leading zeros. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}
