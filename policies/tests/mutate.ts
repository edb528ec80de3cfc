import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import { decide } from "../decide/decide.ts";
import { type Finding, witnessOf } from "../findings/index.ts";
import type { AccessPolicy, PolicySet, Workload } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { Document } from "../syntax/document.ts";
import { caseText } from "./case-text.ts";
import { findWitness, type MutantWitness } from "./find-witness.ts";
import { finding } from "./finding.ts";
import { type CaseResult, gotOf, passes } from "./judge-case.ts";
import { affectedBy, applied, type Mutant } from "./mutants/mutant.ts";
import { mutantsOf } from "./mutants/mutants-of.ts";
import { enforced, runCases, type TestOptions } from "./run-tests.ts";
import { testCasesOf } from "./test-case.ts";

/** How mutants are run. */
export interface MutateOptions extends Pick<TestOptions, "now" | "asEnforced"> {
  /** The most time to take, in milliseconds; needs `clock`. Mutants that are left are counted as not tried. */
  readonly budgetMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly clock?: () => number;
  /** Told after each mutant. */
  readonly progress?: (done: number, total: number) => void;
}

/** A mutant that no case noticed, and a request that would have shown it. */
export interface Survivor {
  readonly mutant: Mutant;
  readonly witness: MutantWitness;
}

/** How well the tests of a set notice its mutants. */
export interface MutationReport {
  /** Percent of killed among killed and survived, rounded down; 100 where there are none. */
  readonly score: number;
  readonly killed: number;
  readonly survived: readonly Survivor[];
  /** Mutants that no request was found to tell from the set; they count for nothing. */
  readonly equivalent: number;
  /** Mutants that there was no time for. */
  readonly untried: number;
  /** `mutant-survived`, one a survivor, with the request that would kill it. */
  readonly findings: readonly Finding[];
}

/**
 * Changes the set in small ways and counts how many of the changes some case of its PolicyTests notices. Cases that fail already notice
 * nothing. Throws `PolicyError` `ERR_POLICY_SET_HAS_ERRORS` where the set has errors.
 */
export function mutate(given: PolicySet, documents: readonly Document[], options: MutateOptions): MutationReport {
  const set = options.asEnforced === true ? enforced(given) : given;
  const bench = new Bench(set, documents, options.now);
  const mutants = mutantsOf(set, documents);
  const survived: Survivor[] = [];
  const tally = { killed: 0, equivalent: 0, done: 0 };
  const end = deadline(options);
  for (const mutant of mutants) {
    if (end()) break;
    const outcome = bench.run(mutant);
    if (outcome === "killed") tally.killed++;
    else if (outcome === "equivalent") tally.equivalent++;
    else survived.push({ mutant, witness: outcome });
    tally.done++;
    options.progress?.(tally.done, mutants.length);
  }
  const told = tally.killed + survived.length;
  return {
    score: told === 0 ? 100 : Math.floor((100 * tally.killed) / told),
    killed: tally.killed,
    survived,
    equivalent: tally.equivalent,
    untried: mutants.length - tally.done,
    findings: survived.map((survivor) => survivorFinding(survivor, set)),
  };
}

function deadline({ budgetMs, clock }: MutateOptions): () => boolean {
  if (budgetMs === undefined || clock === undefined) return () => false;
  const endMs = clock() + budgetMs;
  return () => clock() >= endMs;
}

/** Where mutants are run: the cases that pass and the policies, by destination. */
class Bench {
  readonly #set: PolicySet;
  readonly #now: Date;
  readonly #cases = new Map<string, CaseResult[]>();
  readonly #policies = new Map<string, AccessPolicy[]>();
  readonly #workloads: ReadonlyMap<string, Workload>;
  readonly #before: Index;

  constructor(set: PolicySet, documents: readonly Document[], now: Date) {
    this.#set = set;
    this.#now = now;
    this.#before = compile(set);
    this.#workloads = new Map(set.workloads.map((workload) => [workload.identity.toString(), workload]));
    for (const policy of set.policies)
      for (const identity of policy.destinations) put(this.#policies, identity, policy);
    for (const result of runCases(this.#before, testCasesOf(documents, set), set, now))
      if (result.wrong.length === 0) put(this.#cases, result.attributes.destination.toString(), result);
  }

  run(mutant: Mutant): "killed" | "equivalent" | MutantWitness {
    const affected = affectedBy(mutant.change, this.#set);
    const after = compile(this.#narrowed(mutant, affected), { destinations: affected });
    const cases = affected.flatMap((identity) => this.#cases.get(identity) ?? []);
    const killed = cases.some(
      ({ case: each, attributes }) => !passes(each, gotOf(decide(after, attributes), each.stage)),
    );
    if (killed) return "killed";
    const witness = findWitness({
      set: this.#set,
      change: mutant.change,
      destinations: affected.flatMap((identity) => this.#workloads.get(identity) ?? []),
      policiesOf: (identity) => (this.#policies.get(identity) ?? []).filter(({ stage }) => stage === "live"),
      before: this.#before,
      after,
      now: this.#now,
    });
    return witness ?? "equivalent";
  }

  /** The changed set with the policies alone that the change can reach; what a candidate would withdraw is asked of the whole set. */
  #narrowed({ change }: Mutant, affected: readonly string[]): PolicySet {
    if (change.kind === "mesh") return applied(change, this.#set);
    const near = new Set(affected.flatMap((identity) => this.#policies.get(identity) ?? []));
    const policies = this.#set.policies.filter((policy) => near.has(policy) || policy.stage === "candidate");
    return applied(change, { ...this.#set, policies });
  }
}

function put<T>(groups: Map<string, T[]>, key: string, value: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}

function survivorFinding({ mutant, witness }: Survivor, set: PolicySet): Finding {
  const { operator, of, text, span } = mutant;
  return finding("mutant-survived", [operator, of, text], {
    severity: "warning",
    span,
    message: `no test notices: ${printable(text, 1_024)} (\`${printable(of)}\`)`,
    reason: "somebody can make this change by mistake and every test still passes",
    remedy: `add to a test of \`${destinationOf(witness)}\`: ${caseText(witness.asked, witness.verdict, set)}`,
    witness: witnessOf(witness.attributes, set),
  });
}

function destinationOf({ asked: { destination } }: MutantWitness): string {
  return `${destination.namespace}/${destination.name}`;
}
