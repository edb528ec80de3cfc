import type { WitnessRequest } from "../../findings/finding.ts";
import type { DraftPolicy } from "../draft/draft.ts";
import { Proof } from "../draft/proof.ts";
import type { Say } from "../draft/say.ts";
import type { RequestScope } from "../report.ts";
import type { Reading } from "./reading.ts";
import type { RequestAuthentication } from "./request-authentication.ts";

/** Something that may be let through although the source does not, once a request shows it. */
export interface Suspected {
  readonly say: Say;
  readonly scope: RequestScope;
  readonly reason: string;
  readonly change: Partial<WitnessRequest>;
}

/** Imports hold no time limits, so that any instant shows the same. */
const ANY_TIME = new Date(0);

/** Calls wider what a request shows to be; what no request shows is not. */
export function saySuspects(suspects: readonly Suspected[], drafts: readonly DraftPolicy[], { world }: Reading): void {
  const proof = new Proof(drafts, world);
  for (const { say, scope, reason, change } of suspects) {
    const shown = proof.allowed(change, ANY_TIME);
    if (shown !== undefined) say("wider", reason, scope, shown);
  }
}

const REFUSED = "the source refuses a request whose token fails to verify; here it is one without a token";

/** A token that fails to verify is refused by the source, whatever the policies say. */
export function sayInvalidTokens(
  authentications: readonly RequestAuthentication[],
  drafts: readonly DraftPolicy[],
  reading: Reading,
): void {
  if (reading.world.jwtProviders.length === 0) return;
  const suspects = authentications.map(({ namespace, name, place }): Suspected => {
    const say: Say = (fidelity, reason, scope, counterExample) =>
      reading.notes.add(place, `RequestAuthentication ${namespace}/${name}`, fidelity, reason, {
        ...(scope === undefined ? {} : { scope }),
        ...(counterExample === undefined ? {} : { counterExample }),
      });
    const change = { claims: {}, headers: { authorization: "Bearer expired" } };
    return { say, scope: "invalid-token", reason: REFUSED, change };
  });
  saySuspects(suspects, drafts, reading);
}
