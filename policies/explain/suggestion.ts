import type { WitnessRequest } from "../findings/finding.ts";
import type { Rule } from "../model/index.ts";
import type { Edit } from "./edit.ts";

/** The smallest edit that would allow a request. */
export interface Suggestion {
  /** All of them are needed. */
  readonly edits: readonly Edit[];
  /** Other requests that the edit would allow as well, one of each sort; empty where none was found. */
  readonly alsoAllows: readonly WitnessRequest[];
}

/** A rule that an edit made, in the set that it made. */
export interface EditedRule {
  readonly rule: Rule;
  readonly destinations: readonly string[];
}
