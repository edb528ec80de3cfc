import { type Finding, finding } from "../../findings/index.ts";
import type { Rule } from "../../model/index.ts";
import { type LineOf, placeOf, textOf } from "../line-at.ts";
import { passing } from "../passing.ts";
import type { Subject } from "../subject.ts";

/** Denies that end, or have yet to begin, while what they deny is allowed: a caller has but to wait. */
export function denyWithTimeLimit(subject: Subject): readonly Finding[] {
  return subject.denyLines().flatMap((line) => {
    const { notBefore, notAfter } = line.rule;
    const isOver = notAfter !== undefined && notAfter < subject.now;
    const isOn = notBefore === undefined || notBefore <= subject.now;
    if (isOver || (isOn && notAfter === undefined)) return [];
    const witness = passing({ ...line, rule: always(line.rule) }, line, subject);
    return witness === undefined ? [] : [report(line, witness)];
  });
}

function report(line: LineOf, witness: Pick<Finding, "witness">): Finding {
  const { notBefore, notAfter, name } = line.rule;
  const when = notAfter === undefined ? `before ${notBefore?.toISOString()}` : `after ${notAfter.toISOString()}`;
  return finding({
    id: "deny-with-time-limit",
    severity: "note",
    about: [line.lineId],
    span: placeOf(line),
    message: `${textOf(line)} of the deny \`${name}\` gets through ${when}`,
    reason: "an allow behind it lets the requests in by itself, without anybody changing anything",
    remedy: "put the time limit on the allow, which then ends by itself, and deny without one",
    ...witness,
  });
}

function always({ notBefore: _, notAfter: __, ...rule }: Rule): Rule {
  return rule;
}
