import type { Diagnostic } from "../../policies/index.ts";
import type { PublishResponse } from "../../protocol/index.ts";

/** Findings as they came over the wire. */
export function readDiagnostics(messages: PublishResponse["diagnostics"]): readonly Diagnostic[] {
  return messages.map(({ hint, ...each }) => (hint === undefined ? each : { ...each, hint }));
}
