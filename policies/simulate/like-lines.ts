import type { Context } from "./contexts.ts";
import { parseRecordLine, type RecordedDecision } from "./recorded-decision.ts";

/** Lines of a log that differ in nothing but what tells one request from the next: id, path, time and the like. */
export interface Likeness {
  /** What they have in common; id, path and time are another's. */
  readonly record: RecordedDecision;
  /** What decisions about them have in common, once it is known. */
  context: Context | undefined;
}

/** One line that was read by what it has in common with others. */
export interface LikeLine {
  readonly like: Likeness;
  readonly id: string;
  /** Absent where those lines have none. */
  readonly path: string | undefined;
  readonly time: string;
}

/** How many likenesses are remembered. */
const MAX_LIKENESSES = 20_000;
/** How many lines, for each likeness that is remembered, must have been read by it, so that it was worth the while. */
const WORTH = 4;

/**
 * Reads lines of a decision log by cutting out what varies and looking up the rest, which has been parsed before: a log
 * has few of those, and parsing is most of what a simulation would do. What it gives is what parsing the line gives.
 */
export class LikeLines {
  readonly #known = new Map<string, Likeness | undefined>();
  #read = 0;
  #isWorthIt = true;

  /** The line, where it is like others that are decisions; undefined where it must be parsed. */
  read(line: string): LikeLine | undefined {
    const cut = this.#isWorthIt ? cutOf(line, "", "") : undefined;
    if (cut === undefined) return undefined;
    const like = this.#known.get(cut.rest) ?? this.#learn(cut, line);
    if (like === undefined) return undefined;
    this.#read++;
    return { like, id: cut.id, path: cut.path, time: cut.time };
  }

  /** Forgets what is known. */
  clear(): void {
    this.#known.clear();
    this.#read = 0;
  }

  #learn({ rest, path }: Cut, line: string): Likeness | undefined {
    if (this.#known.has(rest)) return undefined;
    if (this.#known.size >= MAX_LIKENESSES) {
      this.#isWorthIt = this.#read >= WORTH * this.#known.size;
      this.clear();
    }
    const record = rest.includes(MARK) ? undefined : recordOf(line, path !== undefined);
    const like = record && { record, context: undefined };
    this.#known.set(rest, like);
    return like;
  }
}

/** A line without the values that vary, and those that are read. */
interface Cut {
  readonly rest: string;
  readonly id: string;
  readonly path: string | undefined;
  readonly time: string;
}

type Field = "id" | "path" | "tookMicros" | "time" | "requestId";

/** In the order in which the log has them. */
const FIELDS: readonly (readonly [field: Field, lead: string, kind: "text" | "number"])[] = [
  ["id", '{"id":"', "text"],
  ["path", ',"path":"', "text"],
  ["tookMicros", ',"tookMicros":', "number"],
  ["time", ',"time":"', "text"],
  ["requestId", ',"requestId":"', "text"],
];

/**
 * Cuts a line up and puts `text` and `number` where values that vary were; undefined where one is not there in the
 * plainest form, or no id or time is.
 */
function cutOf(line: string, text: string, number: string): Cut | undefined {
  if (line.includes("\\")) return undefined;
  let rest = "";
  let id: string | undefined;
  let path: string | undefined;
  let time: string | undefined;
  let from = 0;
  for (const [field, lead, kind] of FIELDS) {
    const at = line.indexOf(lead, from);
    if (at === -1) continue;
    const start = at + lead.length;
    const end = kind === "text" ? line.indexOf('"', start) : endOfNumber(line, start);
    if (end === -1) return undefined;
    if (kind === "text") {
      const value = line.slice(start, end);
      if (UNPRINTABLE.test(value)) return undefined;
      if (field === "id") id = value;
      else if (field === "path") path = value;
      else if (field === "time") time = value;
    }
    rest += line.slice(from, start) + (kind === "text" ? text : number);
    from = end;
  }
  rest += line.slice(from);
  return id === undefined || time === undefined ? undefined : { rest, id, path, time };
}

/** What JSON does not have in a text as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f]/;

/** Where digits without a leading zero end; -1 where there is another number, or none. */
function endOfNumber(line: string, start: number): number {
  let end = start;
  while (isDigit(line.charCodeAt(end))) end++;
  const isPlain = end > start && (end === start + 1 || line[start] !== "0");
  const after = line[end];
  return isPlain && (after === "," || after === "}") ? end : -1;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Stands for a text that was cut out. */
const MARK = "cut\u2063out";

/**
 * What a line and those like it say, where each text that is cut out is the id, path or time and nothing else. Parsing
 * the line with marks in their place tells: where a parser takes a mark for that value, it takes any plain text there.
 */
function recordOf(line: string, hasPath: boolean): RecordedDecision | undefined {
  const marked = cutOf(line, MARK, "1");
  const read = marked && parseRecordLine(marked.rest);
  if (read?.kind !== "decision") return undefined;
  const { record } = read;
  const isWhole = record.id === MARK && record.time === MARK && record.path === (hasPath ? MARK : undefined);
  return isWhole ? sameShape(record) : undefined;
}

/** The record with its keys in one order and none left out, which is copied much faster. */
function sameShape(record: RecordedDecision): RecordedDecision {
  const { id, verdict, evaluated, reason, detail, line, path, destination, caller, time } = record;
  const { listenerPort, listenerKind, method, pathTemplate, upgrade, grpc, peerAddress } = record;
  const decided = { id, verdict, evaluated, reason, detail, line, path, destination, caller, time };
  return { ...decided, listenerPort, listenerKind, method, pathTemplate, upgrade, grpc, peerAddress };
}
