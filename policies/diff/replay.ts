import type { SpiffeId } from "../../spiffe/index.ts";
import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import { decide } from "../decide/decide.ts";
import { attributesOf, type WitnessRequest, witnessOf, workloadOf } from "../findings/index.ts";
import type { Attributes, Decision, PolicySet } from "../model/index.ts";
import type { DiffWitness, SideVerdict } from "./report.ts";

/** The verdicts that a witness claims. */
export type Claim = "broader" | "narrower";

/** Decides examples anew under both sets, by the decisions that sidecars get. */
export class Replay {
  readonly #oldSet: PolicySet;
  readonly #newSet: PolicySet;
  readonly #now: Date;
  readonly #notes = new Set<string>();
  #indexes: readonly [Index, Index] | undefined;

  constructor(oldSet: PolicySet, newSet: PolicySet, now: Date) {
    this.#oldSet = oldSet;
    this.#newSet = newSet;
    this.#now = now;
  }

  /** What could not be confirmed. */
  get notes(): readonly string[] {
    return [...this.#notes];
  }

  /**
   * A witness with both verdicts; nothing where there is no example.
   * INVARIANT: what a witness claims is what decisions say. An example that they contradict is left out, with a note.
   */
  witness(example: Attributes | undefined, claim: Claim): DiffWitness | undefined {
    if (example === undefined) return undefined;
    const [old, next] = this.#decide(example);
    if (!holds(claim, old, next)) {
      this.#notes.add(`an example of \`${example.destination}\` is decided otherwise than was worked out`);
      return undefined;
    }
    const home = this.#homeOf(example);
    const request = this.#written(example, home);
    if (!this.#readsBack(example, home, claim)) {
      this.#notes.add(`a request to \`${example.destination}\` cannot be written down so that it is decided the same`);
    }
    return { request, old: verdictOf(old), new: verdictOf(next) };
  }

  #decide(example: Attributes): readonly [Decision, Decision] {
    this.#indexes ??= [compile(this.#oldSet), compile(this.#newSet)];
    return [decide(this.#indexes[0], example), decide(this.#indexes[1], example)];
  }

  /** The set that knows the destination, the new one first. */
  #homeOf({ destination }: Attributes): PolicySet {
    const knows = this.#newSet.workloads.some(({ identity }) => identity.toString() === destination.toString());
    return knows ? this.#newSet : this.#oldSet;
  }

  /** The request without what it would have anyway; callers that only one set knows are named by identity. */
  #written(example: Attributes, home: PolicySet): WitnessRequest {
    const { at, host, from, to, ...request } = witnessOf(example, home);
    const { caller, destination } = example;
    const workload = home.workloads.find(({ identity }) => identity.toString() === destination.toString());
    const usualHost = workload?.sidecar?.address ?? workload?.name;
    return {
      from: caller === undefined || this.#sets.every((set) => names(set, from, caller)) ? from : caller.toString(),
      to: this.#sets.every((set) => names(set, to, destination) || workloadOf(to, set) === undefined)
        ? to
        : `${destination}`,
      ...request,
      ...(host === undefined || host === usualHost ? {} : { host }),
      ...(at === undefined || example.now.getTime() === this.#now.getTime() ? {} : { at }),
    };
  }

  get #sets(): readonly PolicySet[] {
    return [this.#oldSet, this.#newSet];
  }

  #readsBack(example: Attributes, home: PolicySet, claim: Claim): boolean {
    try {
      const [old, next] = this.#decide(attributesOf(this.#written(example, home), home, { now: this.#now }));
      return holds(claim, old, next);
    } catch {
      return false;
    }
  }
}

function holds(claim: Claim, old: Decision, next: Decision): boolean {
  return old.verdict !== next.verdict && next.verdict === (claim === "broader" ? "allow" : "deny");
}

function verdictOf({ verdict, reason, line }: Decision): SideVerdict {
  return { verdict, reason, ...(line === undefined ? {} : { line }) };
}

function names(set: PolicySet, name: string, id: SpiffeId): boolean {
  return workloadOf(name, set)?.identity.toString() === id.toString();
}
