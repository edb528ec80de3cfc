import { witnessText } from "../findings/index.ts";
import { isBroader, isNarrower } from "./direction.ts";
import type { CallerDiff, DestinationDiff, DiffReport, DiffWitness, LineDiff, ListDiff } from "./report.ts";

/** One thing that changes for some callers: what text and Markdown say. */
export interface Change {
  readonly claim: "broader" | "narrower";
  readonly callers: readonly string[];
  /** Lines that it is due to. */
  readonly lines: readonly LineDiff[];
  readonly witness: DiffWitness;
}

/** The changes of a destination: those for the same reason together, what allows more first. */
export function changesOf({ callers }: DestinationDiff): readonly Change[] {
  const changes = new Map<
    string,
    { claim: Change["claim"]; callers: string[]; lines: readonly LineDiff[]; witness: DiffWitness }
  >();
  for (const claim of ["broader", "narrower"] as const) {
    for (const caller of callers) {
      for (const { lines, witness } of partsOf(caller, claim)) {
        const key = `${claim} ${lines.map(({ id }) => id).join("\n")}`;
        const known = changes.get(key);
        if (known === undefined) changes.set(key, { claim, callers: [...caller.callers], lines, witness });
        else known.callers.push(...caller.callers);
      }
    }
  }
  return [...changes.values()];
}

/** Each line that lets more, or less, through; or the caller's own example where no line is the cause. */
function partsOf(
  caller: CallerDiff,
  claim: Change["claim"],
): readonly { readonly lines: readonly LineDiff[]; readonly witness: DiffWitness }[] {
  const parts = caller.lines.flatMap((line) => {
    const witness = line[claim];
    return witness === undefined ? [] : [{ lines: [line], witness }];
  });
  const own = caller[claim];
  return parts.length > 0 || own === undefined ? parts : [{ lines: [], witness: own }];
}

/** What a witness shows, for people: the request and the verdicts before and after. */
export function witnessLine({ request, old, new: next }: DiffWitness): string {
  return `${witnessText(request)} (${old.verdict}: ${old.reason}, now ${next.verdict}: ${next.reason})`;
}

/** How many lines and destinations a report is about. */
export function countsOf({ destinations }: DiffReport): {
  readonly broader: number;
  readonly narrower: number;
  readonly idle: number;
} {
  return {
    broader: destinations.filter(({ direction }) => isBroader(direction)).length,
    narrower: destinations.filter(({ direction }) => isNarrower(direction)).length,
    idle: destinations.reduce(
      (sum, { lines }) => sum + lines.filter(({ direction }) => direction === "equivalent").length,
      0,
    ),
  };
}

/** `1 workload is broader, 2 are narrower, 3 changed lines change nothing` in one sentence. */
export function headline(report: DiffReport): string {
  const { broader, narrower, idle } = countsOf(report);
  const workloads = (count: number): string => (count === 1 ? "1 workload" : `${count} workloads`);
  const parts = [
    ...(broader === 0 ? [] : [`more is allowed at ${workloads(broader)}`]),
    ...(narrower === 0 ? [] : [`less is allowed at ${workloads(narrower)}`]),
    ...(idle === 0 ? [] : [idle === 1 ? "1 changed line changes nothing" : `${idle} changed lines change nothing`]),
  ];
  return parts.length === 0 ? "every request gets the same verdict" : parts.join("; ");
}

/** What changed beside lines, one sentence each; names are given to `show`. */
export function settingLines(report: DiffReport, show: (name: string) => string): readonly string[] {
  const list = (what: string, { added, removed }: ListDiff): readonly string[] => [
    ...added.map((name) => `${what} ${show(name)} was added`),
    ...removed.map((name) => `${what} ${show(name)} was removed`),
  ];
  const { trustDomain } = report;
  return [
    ...(trustDomain ? [`the trust domain was ${show(trustDomain.old)} and is ${show(trustDomain.new)}`] : []),
    ...list("the workload", report.workloads),
    ...list("the federated trust domain", report.federation),
    ...list("the isolation label", report.isolation),
    ...report.destinations.flatMap(({ destination, mode, pathsRead }) => [
      ...(mode ? [`${show(destination)} was in ${mode.old} mode and is in ${mode.new} mode`] : []),
      ...(pathsRead ? [`${show(destination)} reads its paths ${pathsRead}`] : []),
    ]),
  ];
}
