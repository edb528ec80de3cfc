import type { SpiffeId } from "../../spiffe/index.ts";
import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import { decide } from "../decide/decide.ts";
import { attributesOf, type WitnessRequest, witnessOf } from "../findings/index.ts";
import { isCleanHeader } from "../match/values.ts";
import type { Attributes, Decision, PolicySet, Workload } from "../model/index.ts";
import type { DiffWitness, SideVerdict } from "./report.ts";

/** The verdicts that a witness claims. */
export type Claim = "broader" | "narrower";

/** Decides examples anew under both sets, by the decisions that sidecars get. */
export class Replay {
  readonly #sets: readonly [WrittenSet, WrittenSet];
  readonly #now: Date;
  readonly #notes = new Set<string>();
  readonly #witnesses = new Map<Attributes, DiffWitness | undefined>();
  #indexes: readonly [Index, Index] | undefined;

  constructor(oldSet: PolicySet, newSet: PolicySet, now: Date) {
    this.#sets = [new WrittenSet(oldSet), new WrittenSet(newSet)];
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
    if (!this.#witnesses.has(example)) this.#witnesses.set(example, this.#made(example, claim));
    return this.#witnesses.get(example);
  }

  #made(example: Attributes, claim: Claim): DiffWitness | undefined {
    const [old, next] = this.#decide(example);
    if (!holds(claim, old, next)) {
      this.#notes.add(`an example of \`${example.destination}\` is decided otherwise than was worked out`);
      return undefined;
    }
    const request = this.#written(example);
    const providers = this.#sets[1].set.mesh.jwtProviders;
    const knowsTokens = [...(example.claims ?? new Map<string, unknown>()).keys()].every((name) => providers.has(name));
    if (!(knowsTokens && isPlain(example)) && !this.#readsBack(request, example, claim)) {
      this.#notes.add(`a request to \`${example.destination}\` cannot be written down so that it is decided the same`);
    }
    return { request, old: verdictOf(old), new: verdictOf(next) };
  }

  #decide(example: Attributes): readonly [Decision, Decision] {
    this.#indexes ??= [compile(this.#sets[0].set), compile(this.#sets[1].set)];
    return [decide(this.#indexes[0], example), decide(this.#indexes[1], example)];
  }

  /** The request without what it would have anyway; whom the sets do not know alike is named by identity. */
  #written(example: Attributes): WitnessRequest {
    const { caller, destination } = example;
    const [old, next] = this.#sets;
    const home = next.workload(destination) ?? old.workload(destination);
    const workloads = [next, old].flatMap((set) => (caller && set.workload(caller)) ?? []);
    const { at, host, from, to, ...request } = witnessOf(example, {
      ...next.set,
      workloads: [...workloads, ...(home ? [home] : [])],
    });
    const isSaid = caller === undefined || this.#sets.every((set) => set.named(from) === caller.toString());
    const isClear = this.#sets.every((set) => [undefined, destination.toString()].includes(set.named(to)));
    return {
      from: isSaid ? from : caller.toString(),
      to: isClear ? to : destination.toString(),
      ...request,
      ...(host === undefined || host === (home?.sidecar?.address ?? home?.name) ? {} : { host }),
      ...(at === undefined || example.now.getTime() === this.#now.getTime() ? {} : { at }),
    };
  }

  #readsBack(request: WitnessRequest, { destination }: Attributes, claim: Claim): boolean {
    const [old, next] = this.#sets;
    const home = next.workload(destination) === undefined ? old : next;
    try {
      const [before, after] = this.#decide(attributesOf(request, home.set, { now: this.#now }));
      return holds(claim, before, after);
    } catch {
      return false;
    }
  }
}

/** A set whose workloads are looked up by identity and by name. */
class WrittenSet {
  readonly set: PolicySet;
  readonly #workloads = new Map<string, Workload>();
  readonly #names = new Map<string, string>();

  constructor(set: PolicySet) {
    this.set = set;
    for (const workload of set.workloads) {
      const identity = workload.identity.toString();
      this.#workloads.set(identity, workload);
      this.#names.set(`${workload.namespace}/${workload.name}`, identity);
    }
  }

  workload(id: SpiffeId): Workload | undefined {
    return this.#workloads.get(id.toString());
  }

  /** The identity that a written name stands for; an identity stands for itself. */
  named(name: string): string | undefined {
    return name.includes("://") ? name : this.#names.get(name);
  }
}

/** Whether a witness says all there is to a request of this kind: no other upgrade, nothing withheld, nothing malformed. */
function isPlain({ http, withheldHeaders }: Attributes): boolean {
  if (http === undefined) return true;
  const values = [...http.headers.values()].flat();
  const upgradesOtherwise = http.upgrade !== undefined && (http.upgrade !== "websocket" || http.method !== "GET");
  return (
    !upgradesOtherwise &&
    withheldHeaders === undefined &&
    !/%(?![0-9A-F]{2})/.test(http.path) &&
    values.every(isCleanHeader)
  );
}

function holds(claim: Claim, old: Decision, next: Decision): boolean {
  return old.verdict !== next.verdict && next.verdict === (claim === "broader" ? "allow" : "deny");
}

function verdictOf({ verdict, reason, line }: Decision): SideVerdict {
  return { verdict, reason, ...(line === undefined ? {} : { line }) };
}
