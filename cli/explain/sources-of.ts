import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import type { ExplainOptions } from "./options.ts";

/** The policies that are asked. */
export function sourcesOf({ policies }: ExplainOptions): readonly string[] {
  return policies.length === 0 ? [DEFAULT_POLICY_FOLDER] : policies;
}
