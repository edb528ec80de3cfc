import { selectorText } from "../../explain/matcher-text.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { CallerSelector, Rule, Workload } from "../../model/index.ts";
import type { RuleOf } from "../line-at.ts";
import { callersOf, destinationsOf, nameOf, reachesBeyondRegistry, type Subject } from "../subject.ts";

/** Entries of an allow whose callers all say what they call, and none says that it calls what the rule is about. */
export function undeclaredCall(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow")
    .flatMap((owner) =>
      (owner.rule.from ?? [])
        .filter((entry) => isUndeclared(entry, owner, subject))
        .map((entry) => report(entry, owner)),
    );
}

function report(entry: CallerSelector, { rule, id }: RuleOf): Finding {
  return finding({
    id: "undeclared-call",
    severity: "warning",
    about: [id, selectorText(entry)],
    span: entry.span,
    message: `\`${rule.name}\` is for ${selectorText(entry)}, whose \`calls\` name nothing that it allows`,
    reason: "a grant that nobody uses is of use to an intruder alone",
    remedy: "remove the entry, or add the call to `sidecar.calls` of the caller",
  });
}

function isUndeclared(entry: CallerSelector, { policy, rule }: RuleOf, subject: Subject): boolean {
  if (reachesBeyondRegistry(entry, subject)) return false;
  const callers = callersOf(entry, subject);
  const targets = destinationsOf(policy, subject);
  if (callers.length === 0 || targets.length === 0) return false;
  // A workload without `sidecar` says nothing of what it calls.
  return callers.every(({ sidecar }) => sidecar !== undefined) && !callers.some((one) => declares(one, rule, targets));
}

function declares({ sidecar }: Workload, rule: Rule, targets: readonly Workload[]): boolean {
  return (sidecar?.calls ?? []).some(({ workload, port }) => {
    const target = targets.find((one) => nameOf(one) === nameOf(workload));
    return target !== undefined && isAbout(rule, target, port);
  });
}

/** Whether a rule has a line for what arrives at this port of this workload. */
function isAbout({ ports, requests }: Rule, { sidecar }: Workload, port: number): boolean {
  if (ports !== undefined && !ports.includes(port)) return false;
  const protocol = sidecar?.listens.find((listen) => listen.port === port)?.protocol;
  return (requests ?? []).some((line) =>
    line.kind === "tcp" ? protocol !== "http" && (line.port === "*" || line.port === port) : protocol !== "tcp",
  );
}
