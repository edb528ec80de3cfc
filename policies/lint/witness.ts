import { type Finding, witnessOf as witnessOfRequest } from "../findings/index.ts";
import type { Attributes } from "../model/index.ts";
import type { Subject } from "./subject.ts";

/** The witness of a finding, to be spread into it. */
export function witnessOf(attributes: Attributes, { set }: Subject): Pick<Finding, "witness"> {
  return { witness: witnessOfRequest(attributes, set) };
}
