import { type Finding, finding } from "../../findings/index.ts";
import type { PathPattern, PatternSegment, RequestLine } from "../../model/index.ts";
import { type LineOf, placeOf, textOf } from "../line-at.ts";
import { passing } from "../passing.ts";
import type { Subject } from "../subject.ts";

/** Denies of a literal path while the same path in other letters is allowed: nothing for an application that folds case. */
export function caseEvadableDeny(subject: Subject): readonly Finding[] {
  return subject.denyLines().flatMap((line) => {
    const other = inOtherLetters(line.line);
    const witness = other === undefined ? undefined : passing({ ...line, line: other }, line, subject);
    return witness === undefined ? [] : [report(line, witness)];
  });
}

function report(line: LineOf, witness: Pick<Finding, "witness">): Finding {
  return finding({
    id: "case-evadable-deny",
    severity: "note",
    about: [line.lineId],
    span: placeOf(line),
    message: `in other letters a path gets past ${textOf(line)} of the deny \`${line.rule.name}\``,
    reason: "an application that does not tell `/admin` from `/Admin` serves the one that was to be denied",
    remedy:
      "say `paths: { caseInsensitive: true }` of such a workload; or allow the paths that are needed, instead of all but these",
    ...witness,
  });
}

/** The line with its first literal that has letters in the other case; undefined where there is none. */
function inOtherLetters(line: RequestLine | undefined): RequestLine | undefined {
  if (line?.kind !== "http" && line?.kind !== "websocket") return undefined;
  const path = otherPattern(line.path);
  return path === undefined ? undefined : { ...line, path };
}

function otherPattern({ text, segments }: PathPattern): PathPattern | undefined {
  const at = segments.findIndex((segment) => segment.kind === "literal" && otherCase(segment.value) !== segment.value);
  if (at === -1) return undefined;
  const other = segments.map(
    (segment, index): PatternSegment =>
      index === at && segment.kind === "literal" ? { kind: "literal", value: otherCase(segment.value) } : segment,
  );
  return { text, segments: other };
}

function otherCase(text: string): string {
  return text.replace(/[a-zA-Z]/, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()));
}
