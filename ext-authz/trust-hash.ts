import { createHash } from "node:crypto";
import { formatTrustBundle, type TrustBundle } from "../spiffe/index.ts";

const hashes = new WeakMap<TrustBundle, string>();

/** SHA-256 over a trust bundle's document, lower-case hex: how agent and authority name the same bundle. */
export function trustHash(bundle: TrustBundle): string {
  const known = hashes.get(bundle);
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(formatTrustBundle(bundle)).digest("hex");
  hashes.set(bundle, hash);
  return hash;
}
