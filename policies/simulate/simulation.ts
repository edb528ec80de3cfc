import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import type { Attributes, PolicySet, Verdict } from "../model/index.ts";
import { Groups, templateOf } from "./groups.ts";
import { type KnownByLine, knownConditions } from "./known-conditions.ts";
import { type AskedStage, type Outcome, outcomeOf } from "./outcome.ts";
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

/** Records that differ in nothing but the path. */
interface Context {
  /** The place of each path's group. */
  readonly paths: Map<string, number>;
  /** The place of each group of the context, by what it has of its own. */
  readonly groups: Map<string, number>;
}

/** Requests that are remembered, so that equal ones are decided once; forgotten all together when there are more. */
const MAX_TUPLES = 200_000;

/** A simulation that is fed record by record, for logs that do not fit into memory. */
export class Simulation {
  readonly #index: Index;
  readonly #compare: "verdict" | "evaluated";
  readonly #stage: AskedStage;
  readonly #readBack: ReadBack;
  readonly #usesAddresses: boolean;
  readonly #groups: Groups;
  readonly #known: KnownByLine;
  readonly #contexts = new Map<string, Context>();
  #remembered = 0;

  constructor(newSet: PolicySet, options: SimulationOptions) {
    const index = compile(newSet, { random: () => "" });
    this.#index = index;
    this.#compare = options.compare ?? "verdict";
    this.#stage = options.stage ?? "live";
    this.#groups = new Groups(options.maxGroups ?? 20_000);
    this.#known = options.old === undefined ? new Map() : knownConditions(options.old);
    this.#usesAddresses = usesAddresses(newSet);
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
    if (line.trim() !== "") this.#take(parseRecordLine(line));
  }

  report(): SimulationReport {
    return this.#groups.report();
  }

  #take(read: ReadRecord): void {
    if (read.kind !== "decision") this.#groups.skip(read.kind);
    else this.#decide(read.record);
  }

  #decide(record: RecordedDecision): void {
    const context = this.#contextOf(record);
    const path = record.path ?? "";
    const known = context.paths.get(path);
    if (known !== undefined) {
      this.#groups.count(known, record.time);
      return;
    }
    const place = this.#placeOf(record, context);
    context.paths.set(path, place);
    this.#remembered++;
    this.#groups.count(place, record.time);
  }

  #placeOf(record: RecordedDecision, context: Context): number {
    const outcome = this.#outcomeOf(record);
    const template = templateOf(record, outcome);
    const own = `${template ?? ""}\n${outcome.verdict}\n${outcome.reason}\n${outcome.line}\n${outcome.why.join("\t")}`;
    const known = context.groups.get(own);
    if (known !== undefined) return known;
    const place = this.#groups.placeOf({ record, outcome, change: this.#changeOf(record, outcome), template });
    context.groups.set(own, place);
    return place;
  }

  #contextOf(record: RecordedDecision): Context {
    const key = contextKey(record, this.#usesAddresses);
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    if (this.#remembered >= MAX_TUPLES) {
      this.#contexts.clear();
      this.#remembered = 0;
    }
    const context: Context = { paths: new Map(), groups: new Map() };
    this.#contexts.set(key, context);
    this.#remembered++;
    return context;
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

/** Equal keys and equal paths get equal outcomes: everything else that decision and grouping read. */
function contextKey(record: RecordedDecision, usesAddresses: boolean): string {
  const { caller, destination, method, upgrade, listenerPort, listenerKind, peerAddress } = record;
  const before = `${record.verdict}\n${record.evaluated}\n${record.reason}\n${record.detail}\n${record.line}`;
  const listener = `${listenerPort}\n${listenerKind}\n${usesAddresses ? peerAddress : ""}`;
  return `${caller}\n${destination}\n${method}\n${upgrade}\n${listener}\n${record.path === undefined}\n${before}`;
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
