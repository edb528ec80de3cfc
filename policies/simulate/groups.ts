import type { Outcome } from "./outcome.ts";
import { own } from "./own-text.ts";
import { pathTemplate } from "./path-template.ts";
import type { RecordedDecision } from "./recorded-decision.ts";
import { CHANGE_KINDS, type ChangeGroup, type ChangeKind, type SimulationReport } from "./report.ts";

interface Counted {
  readonly group: Omit<ChangeGroup, "count" | "firstSeen" | "lastSeen">;
  count: number;
  firstSeen: string;
  lastSeen: string;
}

/** A recorded request and what became of it. */
interface Judged {
  readonly record: RecordedDecision;
  readonly outcome: Outcome;
  readonly change: ChangeKind;
  readonly template: string | undefined;
}

/** Counts outcomes by what they have in common. Memory is bounded: paths are put together once there are too many groups. */
export class Groups {
  readonly #maxGroups: number;
  readonly #places = new Map<string, number>();
  readonly #counted: Counted[] = [];
  readonly #skipped = { other: 0, unreadable: 0 };
  #folded = false;

  constructor(maxGroups: number) {
    this.#maxGroups = maxGroups;
  }

  skip(kind: "other" | "unreadable"): void {
    this.#skipped[kind]++;
  }

  /** Counts a record of a group. */
  count(place: number, time: string): void {
    const counted = this.#counted[place];
    if (counted === undefined) return;
    counted.count++;
    if (time < counted.firstSeen) counted.firstSeen = own(time);
    if (time > counted.lastSeen) counted.lastSeen = own(time);
  }

  report(): SimulationReport {
    const groups = this.#counted.map(({ group, count, firstSeen, lastSeen }) => ({
      ...group,
      count,
      firstSeen,
      lastSeen,
    }));
    const counts = { "newly-denied": 0, "newly-allowed": 0, undecidable: 0, unchanged: 0 };
    for (const { change, count } of groups) counts[change] += count;
    const times = groups.flatMap(({ firstSeen, lastSeen }) => [firstSeen, lastSeen]).sort();
    const [first, last] = [times[0], times.at(-1)];
    return {
      decisions: groups.reduce((sum, { count }) => sum + count, 0),
      skipped: { ...this.#skipped },
      counts,
      ...(first === undefined ? {} : { firstSeen: first }),
      ...(last === undefined ? {} : { lastSeen: last }),
      groups: groups.sort(byWeight),
      folded: this.#folded,
    };
  }

  /** The place of the group that a request belongs to. */
  placeOf(judged: Judged): number {
    const { template } = judged;
    const key = keyOf(judged);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#counted.length >= this.#maxGroups && template !== undefined && template !== FOLDED) {
      this.#folded = true;
      return this.placeOf({ ...judged, template: FOLDED });
    }
    const place = this.#counted.length;
    this.#places.set(key, place);
    const time = own(judged.record.time);
    this.#counted.push({ group: groupOf(judged), count: 0, firstSeen: time, lastSeen: time });
    return place;
  }
}

const FOLDED = "/**";

function keyOf({ record, outcome, change, template }: Judged): string {
  const who = `${change}\n${record.caller ?? ""}\n${record.destination}\n${record.listenerPort}`;
  const before = `${record.verdict}\n${record.reason}\n${record.line ?? ""}`;
  const after = `${outcome.verdict ?? ""}\n${outcome.reason ?? ""}\n${outcome.line ?? ""}\n${outcome.why.join("\t")}`;
  return `${who}\n${record.method ?? ""}\n${template ?? ""}\n${before}\n${after}`;
}

/** What a group tells of the path: the pattern of the line that decided or decides, else the path, opened. */
export function templateOf(record: RecordedDecision, outcome: Outcome): string | undefined {
  if (record.pathTemplate !== undefined) return record.pathTemplate;
  const path = outcome.line?.slice(outcome.line.indexOf(" ") + 1);
  if (path?.startsWith("/")) return path;
  return record.path === undefined ? undefined : pathTemplate(record.path);
}

function groupOf({ record, outcome, change, template }: Judged): Counted["group"] {
  const { verdict, reason, line } = outcome;
  return {
    change,
    ...(record.caller === undefined ? {} : { caller: record.caller }),
    destination: record.destination,
    ...(record.method === undefined ? {} : { method: record.method }),
    ...(template === undefined ? {} : { template }),
    port: record.listenerPort,
    before: {
      verdict: record.verdict,
      reason: record.reason,
      ...(record.line === undefined ? {} : { line: record.line }),
    },
    after: {
      ...(verdict === undefined ? {} : { verdict }),
      ...(reason === undefined ? {} : { reason }),
      ...(line === undefined ? {} : { line }),
    },
    why: change === "undecidable" ? outcome.why : [],
    example: { id: own(record.id), ...(record.path === undefined ? {} : { path: own(record.path) }) },
  };
}

function byWeight(left: ChangeGroup, right: ChangeGroup): number {
  const rank = CHANGE_KINDS.indexOf(left.change) - CHANGE_KINDS.indexOf(right.change);
  return rank || right.count - left.count || compareTexts(textOf(left), textOf(right));
}

function textOf({ caller, destination, method, template, port }: ChangeGroup): string {
  return `${destination}\n${caller ?? ""}\n${template ?? ""}\n${method ?? ""}\n${port}`;
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
