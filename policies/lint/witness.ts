import { type Finding, witnessOf as witnessOfRequest } from "../findings/index.ts";
import type { Attributes } from "../model/index.ts";
import type { Subject } from "./subject.ts";

/** The witness of a finding, to be spread into it; nothing for an upgrade that a witness has no words for. */
export function witnessOf(attributes: Attributes, { set }: Subject): Pick<Finding, "witness"> {
  const { upgrade, method } = attributes.http ?? {};
  const isSayable = upgrade === undefined || (upgrade === "websocket" && method === "GET");
  return isSayable ? { witness: witnessOfRequest(attributes, set) } : {};
}
