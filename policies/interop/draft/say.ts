import type { WitnessRequest } from "../../findings/finding.ts";
import type { Fidelity, RequestScope } from "../report.ts";

/** Reports something about the construct at hand. */
export type Say = (
  fidelity: Fidelity,
  reason: string,
  scope?: RequestScope,
  counterExample?: WitnessRequest,
  subject?: string,
) => void;
