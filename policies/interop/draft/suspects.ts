import type { WitnessRequest } from "../../findings/finding.ts";
import type { RequestScope } from "../report.ts";
import type { DraftPolicy, DraftRule } from "./draft.ts";
import { Proof } from "./proof.ts";
import type { Say } from "./say.ts";
import type { World } from "./world.ts";

/** Something that may be let through although the source does not, once a request shows it. */
export interface Suspected {
  readonly say: Say;
  readonly scope: RequestScope;
  readonly reason: string;
  readonly change: Partial<WitnessRequest>;
  /** What the scope is about, where it is one thing. */
  readonly subject?: string;
  /** Rules that it comes of, where these are known. */
  readonly rules?: readonly Omit<DraftRule, "name">[];
}

/** Imports hold no time limits, so that any instant shows the same. */
const ANY_TIME = new Date(0);

/** Calls wider what a request shows to be that the source may deny; what no request shows is not. */
export function saySuspects(
  suspects: readonly Suspected[],
  drafts: readonly DraftPolicy[],
  world: World,
  mayDeny: (request: WitnessRequest) => boolean = () => true,
): void {
  const proof = new Proof(drafts, world, mayDeny);
  for (const { say, scope, reason, change, subject, rules } of suspects) {
    const shown = proof.allowed(change, ANY_TIME, rules);
    if (shown !== undefined) say("wider", reason, scope, shown, subject);
  }
}
