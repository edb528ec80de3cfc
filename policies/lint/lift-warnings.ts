import { type Finding, finding } from "../findings/index.ts";
import type { Diagnostic, Span } from "../model/index.ts";
import type { Subject } from "./subject.ts";

interface Lifted {
  readonly id: string;
  readonly reason: string;
}

/** Ids of the warnings that reading and resolving a set give themselves, with why they matter. */
const LIFTED: ReadonlyMap<string, Lifted> = new Map([
  [
    "WARN_POLICY_MATCHES_NOTHING",
    { id: "matches-nothing", reason: "what it was written for, an allow or a deny, does not happen" },
  ],
  ["WARN_POLICY_NOT_A_PORT", { id: "unknown-listener", reason: "no request can arrive where this line waits for one" }],
  [
    "WARN_POLICY_NO_ISOLATION_LABEL",
    { id: "no-isolation-label", reason: "a workload without the label shares its value with nobody" },
  ],
  [
    "WARN_POLICY_NO_APPROVER",
    { id: "no-approver", reason: "nobody approves what they published, so such a publish waits for ever" },
  ],
  [
    "WARN_POLICY_METHOD",
    { id: "unusual-method", reason: "methods are compared exactly, so a mistyped one matches nothing" },
  ],
  [
    "WARN_POLICY_PATH",
    { id: "literal-colon", reason: "`:id` is literal text here, so the line matches nothing that callers send" },
  ],
]);

/** The ids that `liftWarnings` gives. */
export const LIFTED_IDS: readonly string[] = [...LIFTED.values()].map(({ id }) => id);

/** The warnings of the set's diagnostics as findings, so that each has one id, one place to be suppressed, and is told once. */
export function liftWarnings(subject: Subject): readonly Finding[] {
  return subject.set.diagnostics.filter(({ severity }) => severity !== "error").map((one) => lift(one, subject));
}

function lift({ code, span, message, hint }: Diagnostic, subject: Subject): Finding {
  const { id, reason } = LIFTED.get(code) ?? { id: idOf(code), reason: "it is hardly what was meant" };
  return finding({
    id,
    severity: "warning",
    about: [whereOf(span, subject), message],
    span,
    message,
    reason,
    ...(hint === undefined ? {} : { remedy: hint }),
  });
}

/** `WARN_POLICY_SOME_THING` is `some-thing`. */
function idOf(code: string): string {
  return code
    .replace(/^WARN_POLICY_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}

/** The rule that a place lies in, or the last policy that begins before it: what stays when lines move. */
function whereOf({ file, line }: Span, { rules, set }: Subject): string {
  const before = (span: Span): boolean => span.file === file && span.line <= line;
  const ends = ({ endLine, endColumn }: Span): number => (endColumn === 1 ? endLine - 1 : endLine);
  const rule = rules.find(({ rule: { span } }) => before(span) && line <= ends(span));
  if (rule !== undefined) return rule.id;
  const policy = set.policies
    .filter(({ span }) => before(span))
    .toSorted((a, b) => a.span.line - b.span.line)
    .at(-1);
  return policy === undefined ? "" : `${policy.namespace}/${policy.name}`;
}
