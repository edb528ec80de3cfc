import { checkGuardrails, checkTeams, type Diagnostic, type Document, type Finding } from "../policies/index.ts";
import type { Composition } from "./composition.ts";

/** What a publish is judged by, beside its own documents. */
export interface PublishJudgement {
  readonly source: string;
  /** The documents in force: their guardrails hold for a publish that removes them, too. */
  readonly inForce: readonly Document[];
  readonly now: Date;
}

/** What of a set without errors its team was not granted, and what breaks a guardrail; as errors of the publish. */
export function judgePublish(
  composition: Composition,
  { source, inForce, now }: PublishJudgement,
): readonly Diagnostic[] {
  const { documents, set } = composition;
  const teams = checkTeams({ documents, set, source, isOfSource: (each) => composition.isOfSource(each) });
  if (teams.length > 0) return teams.map(diagnosticOf);
  return checkGuardrails(set, documents, { now, alsoHold: inForce }).map(diagnosticOf);
}

const ANYWHERE = { file: "policies", line: 1, column: 1, endLine: 1, endColumn: 1 };

/** `guardrail-never` is `ERR_AUTHORITY_GUARDRAIL_NEVER`. */
function diagnosticOf({ id, severity, span = ANYWHERE, message, remedy }: Finding): Diagnostic {
  const kind = severity === "error" ? "ERR" : "WARN";
  return {
    severity: severity === "note" ? "info" : severity,
    code: `${kind}_AUTHORITY_${id.toUpperCase().replaceAll("-", "_")}`,
    span,
    message,
    ...(remedy === undefined ? {} : { hint: remedy }),
  };
}
