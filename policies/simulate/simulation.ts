import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import type { Attributes, PolicySet, Verdict } from "../model/index.ts";
import { type Context, Contexts, isSameOutcome } from "./contexts.ts";
import { Groups, templateOf } from "./groups.ts";
import { type KnownByLine, knownConditions } from "./known-conditions.ts";
import { type LikeLine, LikeLines } from "./like-lines.ts";
import { type AskedStage, type Outcome, outcomeOf } from "./outcome.ts";
import { own } from "./own-text.ts";
import { identityReader, type ReadBack, recordedAttributes } from "./recorded-attributes.ts";
import { parseRecordLine, type ReadRecord, type RecordedDecision, readRecord } from "./recorded-decision.ts";
import type { ChangeKind, SimulationReport } from "./report.ts";

/** How recorded decisions are looked at. */
export interface SimulationOptions {
  /** The instant at which the new set is asked: its time limits hold or not, whenever a record was made. */
  readonly now: Date;
  /**
   * `verdict` (default): what the sidecar was told and would be told. `evaluated`: what the policies said and would say,
   * monitor mode left aside.
   */
  readonly compare?: "verdict" | "evaluated";
  /** `candidate`: judge by the set's candidate policies standing in for the live ones; `live` where absent. */
  readonly stage?: AskedStage;
  /**
   * The set that decided the records. Of a request that it allowed, the conditions of the deciding line were true, and so
   * are the same ones, word by word, of an allow of the new set.
   */
  readonly old?: PolicySet;
  /** Groups that are kept apart at most; 20,000 where absent. */
  readonly maxGroups?: number;
}

/** What would have become of recorded decisions under `newSet`. Throws as `compile` does. Pure: `now` is an option. */
export function simulate(newSet: PolicySet, records: Iterable<unknown>, options: SimulationOptions): SimulationReport {
  const simulation = new Simulation(newSet, options);
  for (const record of records) simulation.add(record);
  return simulation.report();
}

/** Requests are remembered, so that equal ones are decided once; after so many new ones everything is forgotten. */
const MAX_TUPLES = 200_000;
/** Of so many first ones, one in `WORTH` must have come again, or remembering more of them costs more than it saves. */
const TRIED = 40_000;
const WORTH = 8;

/** A simulation that is fed record by record, for logs that do not fit into memory. */
export class Simulation {
  readonly #index: Index;
  readonly #compare: "verdict" | "evaluated";
  readonly #stage: AskedStage;
  readonly #readBack: ReadBack;
  readonly #groups: Groups;
  readonly #known: KnownByLine;
  readonly #contexts: Contexts;
  readonly #likeLines = new LikeLines();
  /** Since everything was forgotten: requests that were new, and those that came again. */
  #new = 0;
  #again = 0;
  #remembers = true;

  constructor(newSet: PolicySet, options: SimulationOptions) {
    const index = compile(newSet, { random: () => "" });
    this.#index = index;
    this.#compare = options.compare ?? "verdict";
    this.#stage = options.stage ?? "live";
    this.#groups = new Groups(options.maxGroups ?? 20_000);
    this.#known = options.old === undefined ? new Map() : knownConditions(options.old);
    this.#contexts = new Contexts(usesAddresses(newSet));
    this.#readBack = {
      now: options.now,
      pathsOf: (destination) => index.policies?.destinations.get(destination)?.workload.paths,
      identity: identityReader(),
    };
  }

  /** Takes one parsed record. Never throws for what it is. */
  add(record: unknown): void {
    this.#take(readRecord(record));
  }

  /** Takes one line of a decision log; an empty one counts for nothing. */
  addLine(line: string): void {
    if (line.length <= 2 && line.trim() === "") return;
    const like = this.#likeLines.read(line);
    if (like === undefined) this.#take(parseRecordLine(line));
    else this.#decideLike(like);
  }

  report(): SimulationReport {
    return this.#groups.report();
  }

  #take(read: ReadRecord): void {
    if (read.kind !== "decision") this.#groups.skip(read.kind);
    else this.#decide(read.record);
  }

  #decide(record: RecordedDecision): void {
    const context = this.#contexts.of(record);
    const known = this.#knownOf(context, record.path);
    this.#groups.count(known ?? this.#decideNew(record, context), record.time);
  }

  /** Decides a line of which all but path and time was looked up: most of what a log has. */
  #decideLike({ like, id, path, time }: LikeLine): void {
    like.context ??= this.#contexts.of(like.record);
    const known = this.#knownOf(like.context, path);
    this.#groups.count(known ?? this.#decideNew({ ...like.record, id, path, time }, like.context), time);
  }

  #knownOf({ paths }: Context, path = ""): number | undefined {
    const known = this.#remembers ? paths.get(path) : undefined;
    if (known !== undefined) this.#again++;
    return known;
  }

  #decideNew(record: RecordedDecision, context: Context): number {
    const place = this.#placeOf(record, context);
    this.#remember(context, record.path ?? "", place);
    return place;
  }

  #placeOf(record: RecordedDecision, context: Context): number {
    const outcome = this.#outcomeOf(record);
    const template = templateOf(record, outcome);
    const known = context.groups.get(template);
    const same = known?.find((each) => isSameOutcome(each.outcome, outcome));
    if (same !== undefined) return same.place;
    const place = this.#groups.placeOf({ record, outcome, change: this.#changeOf(record, outcome), template });
    if (known === undefined) context.groups.set(template, [{ outcome, place }]);
    else known.push({ outcome, place });
    return place;
  }

  #remember({ paths }: Context, path: string, place: number): void {
    if (this.#remembers) paths.set(own(path), place);
    this.#new++;
    if (this.#new === TRIED && this.#again * WORTH < TRIED) {
      this.#remembers = false;
      this.#contexts.forgetPaths();
    }
    if (this.#new === MAX_TUPLES) this.#forget();
  }

  #forget(): void {
    this.#contexts.clear();
    this.#likeLines.clear();
    this.#new = 0;
    this.#again = 0;
    this.#remembers = true;
  }

  #outcomeOf(record: RecordedDecision): Outcome {
    if (isSettled(record)) return asBefore(record);
    const read = recordedAttributes(record, this.#readBack);
    return read.ok ? this.#asked(read.attributes, record) : { ...UNTOLD, why: [read.why] };
  }

  #asked(attributes: Attributes, { line, reason }: RecordedDecision): Outcome {
    const known = reason === "allowed-by-rule" && line !== undefined ? this.#known.get(line) : undefined;
    return outcomeOf(this.#index, attributes, { stage: this.#stage, known });
  }

  #changeOf(record: RecordedDecision, outcome: Outcome): ChangeKind {
    const now = outcome[this.#compare];
    if (now === undefined) return "undecidable";
    return changeOf(record[this.#compare], now);
  }
}

const UNTOLD: Outcome = Object.freeze({
  verdict: undefined,
  evaluated: undefined,
  reason: undefined,
  line: undefined,
  why: [],
});

function changeOf(before: Verdict, now: Verdict): ChangeKind {
  if (before === now) return "unchanged";
  return now === "deny" ? "newly-denied" : "newly-allowed";
}

/** What no policy set changes: a revocation stands beside it, and a request that cannot be read reaches no rule. */
function isSettled({ reason, listenerPort }: RecordedDecision): boolean {
  return reason === "revoked-identity" || listenerPort === 0;
}

function asBefore({ verdict, evaluated, reason }: RecordedDecision): Outcome {
  return { verdict, evaluated, reason, line: undefined, why: [] };
}

function usesAddresses({ policies }: PolicySet): boolean {
  return policies.some((policy) =>
    [...policy.allow, ...policy.deny].some((rule) =>
      [...(rule.from ?? []), ...(rule.except?.from ?? [])].some((selector) => selector.addresses !== undefined),
    ),
  );
}
