import { type Caller, identityMatches } from "../match/caller.ts";
import type { Attributes, PolicySet, Workload } from "../model/index.ts";
import { type CallerClass, callerClasses, DestinationSpace, type Inquiry, Side, Universe } from "../space/index.ts";
import { allows, deniesForGood, lineBits, type SideFacts } from "../space/verdict-bits.ts";
import type { Member } from "./party.ts";

/** That one may call another. */
export interface Hop {
  readonly from: Member;
  /** Identity of the destination. */
  readonly to: string;
  /** A request that is allowed; absent where the space is too large to be sure, so that the hop is only possible. */
  readonly example: Attributes | undefined;
}

/** Who may call whom in the live policies of a set, from now on. Worked out by destination, once. */
export class Hops {
  /** Everyone that can be told apart: registered workloads first. */
  readonly members: readonly Member[];
  readonly #side: Side;
  readonly #universe: Universe;
  readonly #known = new Map<string, readonly Hop[]>();

  /** `named`: callers that guardrails tell apart and policies do not. */
  constructor(set: PolicySet, now: Date, named: readonly CallerClass[] = []) {
    this.#side = new Side(set);
    this.#universe = new Universe({ now });
    const classes = new Map<string, CallerClass>();
    for (const one of [...callerClasses([this.#side]), ...named]) {
      const caller = this.#side.caller(one.id);
      const key = one.id?.toString() ?? "";
      if (caller !== undefined && !classes.has(key)) classes.set(key, one);
    }
    this.members = [...classes.values()].map((of) => ({ of, workload: this.workload(of.id?.toString() ?? "") }));
  }

  /** The destinations of the set, by identity. */
  get destinations(): ReadonlySet<string> {
    return this.#side.destinations;
  }

  workload(identity: string): Workload | undefined {
    return this.#side.workloads.get(identity);
  }

  /** Everyone who may call a destination, itself left out. */
  into(destination: string): readonly Hop[] {
    const known = this.#known.get(destination) ?? this.#ask(destination);
    this.#known.set(destination, known);
    return known;
  }

  #ask(destination: string): readonly Hop[] {
    const workload = this.#side.destination(destination);
    if (workload === undefined) return [];
    const members = this.members.filter(({ of }) => canArrive(of, workload));
    const space = new DestinationSpace(
      this.#universe,
      [this.#side],
      destination,
      members.map(({ of }) => of),
    );
    const findings = space.ask(ANY_ALLOWED);
    const hops = new Map<CallerClass, Hop>();
    const byClass = new Map(members.map((member) => [member.of, member]));
    for (const { callers, all } of findings) {
      const [example] = all;
      for (const of of example === undefined ? [] : callers) {
        const from = byClass.get(of);
        if (from !== undefined && example !== undefined)
          hops.set(of, { from, to: destination, example: as(of, example) });
      }
    }
    if (!space.exact) this.#addPossible(hops, members, destination);
    return [...hops.values()];
  }

  /** SECURITY: where the search gave up, whoever an allow names at all counts as let in. */
  #addPossible(hops: Map<CallerClass, Hop>, members: readonly Member[], destination: string): void {
    const selectors = this.#side.policies(destination).flatMap(({ allow }) => allow.flatMap(({ from }) => from ?? []));
    for (const from of members) {
      const caller: Caller | undefined = this.#side.caller(from.of.id);
      if (hops.has(from.of) || caller === undefined) continue;
      if (selectors.some((selector) => identityMatches(selector, caller, true)))
        hops.set(from.of, { from, to: destination, example: undefined });
    }
  }
}

/** A workload does not call itself, and anonymous callers come by edge listeners only. */
function canArrive({ id }: CallerClass, { identity, sidecar }: Workload): boolean {
  if (id === undefined) return sidecar === undefined || sidecar.listens.some(({ clients }) => clients === "public");
  return id.toString() !== identity.toString();
}

/** The example of a group of callers, as one of them sends it. */
function as({ id }: CallerClass, { caller: _, ...rest }: Attributes): Attributes {
  return id === undefined ? rest : { ...rest, caller: id };
}

/** Whether any request is allowed; one example is enough. */
const ANY_ALLOWED: Inquiry = {
  bits: ({ rule }) => lineBits(rule.effect, rule.always),
  tracks: () => false,
  question: ({ callers, apart, destinations }) => {
    if (callers[0] === undefined) return undefined;
    const facts: SideFacts = {
      outside: false,
      apart: (apart[0] ?? []).length > 0,
      mode: destinations[0]?.mode ?? "enforce",
    };
    let done = false;
    return {
      answers: 1,
      answer: (bits) => {
        const allowed = allows(bits, facts);
        done ||= allowed;
        return allowed ? 0 : -1;
      },
      settled: (bits) => done || deniesForGood(bits, facts),
      needsTracked: () => false,
    };
  },
};
