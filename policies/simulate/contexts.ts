import type { Outcome } from "./outcome.ts";
import type { RecordedDecision } from "./recorded-decision.ts";

/** Records that differ in nothing but the path. */
export interface Context {
  /** The place of each path's group. */
  readonly paths: Map<string, number>;
  /** By path template, the outcomes that there were, each with the place of its group. */
  readonly groups: Map<string | undefined, { readonly outcome: Outcome; readonly place: number }[]>;
}

/**
 * Contexts by everything that decision and grouping read of a record but the path: equal contexts and equal paths get
 * equal outcomes. Texts get numbers first: logs name few identities and lines again and again.
 */
export class Contexts {
  readonly #usesAddresses: boolean;
  readonly #numbers = new Map<string, number>();
  readonly #contexts = new Map<string, Context>();

  constructor(usesAddresses: boolean) {
    this.#usesAddresses = usesAddresses;
  }

  of(record: RecordedDecision): Context {
    const key = this.#keyOf(record);
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    const made: Context = { paths: new Map(), groups: new Map() };
    this.#contexts.set(key, made);
    return made;
  }

  forgetPaths(): void {
    for (const { paths } of this.#contexts.values()) paths.clear();
  }

  clear(): void {
    this.#contexts.clear();
    this.#numbers.clear();
  }

  #keyOf(record: RecordedDecision): string {
    const { destination, caller, line, peerAddress } = record;
    const who = `${this.#number(destination)},${this.#number(caller)},${this.#number(line)}`;
    const address = this.#usesAddresses ? this.#number(peerAddress) : 0;
    return `${who},${address},${this.#number(shapeOf(record))}`;
  }

  #number(text: string | undefined): number {
    if (text === undefined) return 0;
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const made = this.#numbers.size + 1;
    this.#numbers.set(text, made);
    return made;
  }
}

function shapeOf(record: RecordedDecision): string {
  const { method, upgrade, listenerPort, listenerKind, verdict, evaluated, reason, detail } = record;
  const request = upgrade === undefined ? `${method}\n${listenerPort}` : `${method}\n${listenerPort}\n${upgrade}`;
  const before =
    detail === undefined ? `${verdict}\n${evaluated}\n${reason}` : `${verdict}\n${evaluated}\n${reason}\n${detail}`;
  return record.path === undefined
    ? `${request}\n\n${listenerKind}\n${before}`
    : `${request}\n${listenerKind}\n${before}`;
}

/** Whether two outcomes say the same. */
export function isSameOutcome(left: Outcome, right: Outcome): boolean {
  return (
    left.verdict === right.verdict &&
    left.evaluated === right.evaluated &&
    left.reason === right.reason &&
    left.line === right.line &&
    left.why.length === right.why.length &&
    left.why.every((text, at) => text === right.why[at])
  );
}
