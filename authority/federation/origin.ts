import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Federation } from "../../policies/index.ts";
import { parseTrustBundle, type TrustBundle } from "../../spiffe/index.ts";

/** The bundle that a mesh gives to begin with. */
export interface Origin {
  /** SHA-256 over the document; of nothing where there is none. */
  readonly digest: string;
  readonly bundle?: TrustBundle;
}

/** Reads it; throws what the file system or the parser throws. */
export function readOrigin({ trustDomain, bundle }: Federation): Origin {
  if (bundle === undefined) return { digest: digestOf("") };
  const text = "inline" in bundle ? bundle.inline : readFileSync(bundle.file, "utf8");
  return { digest: digestOf(text), bundle: parseTrustBundle(trustDomain, text) };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
