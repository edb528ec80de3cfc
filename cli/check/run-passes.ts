import { suppress } from "../../policies/findings/index.ts";
import type { Finding } from "../../policies/index.ts";
import type { PolicyText } from "../policy-folder.ts";
import type { Progress } from "../progress.ts";
import { ownFiles } from "./own-files.ts";
import type { Pass, PassName, PassResult } from "./pass.ts";
import { errorsOf, readDocuments } from "./read-set.ts";
import type { CheckReport } from "./report.ts";

/** What to check, and how. */
export interface CheckInput {
  readonly files: readonly PolicyText[];
  /** Files of what is in force already, from others; their findings are theirs. */
  readonly foreign: readonly PolicyText[];
  /** The source that the files are published under, where it is known: then its team's grant is held against them. */
  readonly source?: string;
  readonly passes: readonly Pass[];
  readonly now: Date;
  readonly progress: Progress;
}

/** Reads the files and runs the passes over the set; with an error in the texts none runs. */
export function runPasses({ files, foreign, source, passes, now, progress }: CheckInput): CheckReport {
  progress.show("reading the policies");
  const read = readDocuments([...foreign, ...files]);
  const own = ownFiles(files);
  const sound = errorsOf(read.set.diagnostics) === 0;
  const results = new Map<PassName, PassResult>();
  for (const pass of sound ? passes : []) {
    progress.clear();
    progress.show(pass.doing);
    results.set(
      pass.name,
      pass.run({ ...read, isOwn: ({ span }) => own.has(span), now, ...(source === undefined ? {} : { source }) }),
    );
  }
  progress.clear();
  const found = [...results.values()].flatMap(({ findings }) => findings).filter(own.concerns);
  const looked = (id: string): boolean => sound && passes.some((pass) => pass.finds(id));
  const { findings, suppressed } = suppress(found, { files, looked });
  const lifted = results.has("lint");
  const diagnostics = read.set.diagnostics.filter((one) => one.severity === "error" || (!lifted && own.has(one.span)));
  return { ...read, files, diagnostics, findings, suppressed, passes: keepStanding(results, findings) };
}

/** Each pass's own findings that stand, so that every form of the report tells the same. */
function keepStanding(
  results: ReadonlyMap<PassName, PassResult>,
  findings: readonly Finding[],
): ReadonlyMap<PassName, PassResult> {
  const standing = new Set(findings);
  return new Map(
    [...results].map(([name, result]) => [
      name,
      { ...result, findings: result.findings.filter((one) => standing.has(one)) },
    ]),
  );
}
