import { createHash } from "node:crypto";
import type { Span } from "../model/index.ts";

/** TEMPORARY until policies/findings lands. */
export interface WitnessRequest {
  readonly from: string;
  readonly to: string;
  readonly request: string;
}
export interface Finding {
  readonly id: string;
  readonly severity: "error" | "warning" | "note";
  readonly span?: Span;
  readonly message: string;
  readonly reason: string;
  readonly remedy?: string;
  readonly witness?: WitnessRequest;
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
  readonly fingerprint: string;
}

/** A finding before it has its fingerprint; `about` names the workload, policy, rule or line, so that it outlives moves in the text. */
export type Draft = Omit<Finding, "fingerprint"> & { readonly about: string };

export function finding({ about, ...rest }: Draft): Finding {
  const fingerprint = createHash("sha256").update(`${rest.id}\n${about}`).digest("hex").slice(0, 32);
  return { ...rest, fingerprint };
}
