import type { PolicySet } from "../policies/index.ts";
import { isBundle, readBundle } from "./bundle/read-bundle.ts";
import { readGoodSet } from "./check/read-good-set.ts";
import type { Io } from "./io.ts";
import type { TrustOptions } from "./trust-options.ts";

/**
 * A set without errors: of policy folders in their order, or of a bundle, which is a folder that holds `bundle.json` and
 * `shards/`, such as an agent's, and whose signature is verified. Throws as `readGoodSet` and `readBundle` do.
 */
export async function readPolicySet(sources: readonly string[], options: TrustOptions, io: Io): Promise<PolicySet> {
  const [only, ...others] = sources;
  if (only === undefined || others.length > 0 || !isBundle(only, io.cwd)) return readGoodSet(sources, io);
  return readBundle(only, options, io);
}
