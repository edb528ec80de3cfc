import { selectorText } from "../../explain/matcher-text.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { CallerSelector, Diagnostic, Span } from "../../model/index.ts";
import { callersOf, reachesBeyondRegistry, type Subject } from "../subject.ts";

/** Entries whose keys together match nobody, where resolving has not said so of one key already. */
export function matchesNothing(subject: Subject): readonly Finding[] {
  const told = subject.set.diagnostics.filter(({ code }) => code === "WARN_POLICY_MATCHES_NOTHING");
  return subject.rules.flatMap(({ rule, id }) =>
    [...(rule.from ?? []), ...(rule.except?.from ?? [])]
      .filter((entry) => !told.some((one) => lies(one, entry.span)) && matchesNobody(entry, subject))
      .map((entry) =>
        finding({
          id: "matches-nothing",
          severity: "warning",
          about: [id, selectorText(entry)],
          span: entry.span,
          message:
            entry.anyone === "authenticated" && entry.addresses === undefined
              ? "no workload is registered"
              : `no caller that may be there is ${selectorText(entry)}`,
          ...why(entry),
        }),
      ),
  );
}

function why(entry: CallerSelector): Pick<Finding, "reason" | "remedy"> {
  const keys = [entry.workload, entry.labels, entry.spiffe, entry.trustDomain, entry.anyone, entry.addresses];
  return keys.filter((key) => key !== undefined).length > 1
    ? {
        reason: "the keys of one entry must all hold, and no caller that may be there fulfils them together",
        remedy: "make two entries of it, or remove it",
      }
    : {
        reason: "what it was written for, an allow or a deny, does not happen",
        remedy: "register the workload that is meant, or remove it",
      };
}

function matchesNobody(entry: CallerSelector, subject: Subject): boolean {
  return !reachesBeyondRegistry(entry, subject) && callersOf(entry, subject).length === 0;
}

function lies({ span }: Diagnostic, within: Span): boolean {
  if (span.file !== within.file || span.line < within.line || span.line > within.endLine) return false;
  return span.line > within.line || span.column >= within.column;
}
