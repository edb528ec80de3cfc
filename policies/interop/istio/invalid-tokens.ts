import type { DraftPolicy } from "../draft/draft.ts";
import type { Say } from "../draft/say.ts";
import { type Suspected, saySuspects } from "../draft/suspects.ts";
import type { Reading } from "./reading.ts";
import type { RequestAuthentication } from "./request-authentication.ts";

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
  saySuspects(suspects, drafts, reading.world);
}
