import { compile } from "../../compile/compile.ts";
import type { Index } from "../../compile/compiled.ts";
import { decide } from "../../decide/decide.ts";
import type { WitnessRequest } from "../../findings/finding.ts";
import { attributesOf } from "../../findings/witness.ts";
import type { PolicySet } from "../../model/index.ts";
import { PolicyError } from "../../policy-error.ts";
import { resolve } from "../../resolve/resolve.ts";
import { parseDocuments } from "../../syntax/parse-documents.ts";
import type { DraftPolicy, DraftRule } from "./draft.ts";
import { witnessOfRule } from "./witness.ts";
import { nameOf, type World } from "./world.ts";
import { writeDocuments } from "./write-documents.ts";

/** The most requests that are tried for one thing to be shown. */
const MOST_TRIES = 400;

/** Finds requests that an import allows. Reads the drafts as the documents that they become. */
export class Proof {
  readonly #world: World;
  readonly #rules: readonly Omit<DraftRule, "name">[];
  readonly #drafts: readonly DraftPolicy[];
  #compiled: { readonly set: PolicySet; readonly index: Index } | undefined;

  constructor(drafts: readonly DraftPolicy[], world: World) {
    const live = drafts.filter(({ candidate }) => candidate === undefined);
    this.#world = world;
    this.#rules = live.flatMap(({ allow }) => allow);
    this.#drafts = live;
  }

  /** A request of some allow rule, changed so, that is allowed; the first of all where there is no registry to decide about. */
  allowed(change: Partial<WitnessRequest>, now: Date): WitnessRequest | undefined {
    const { workloads, trustDomain } = this.#world;
    const destinations = workloads.length === 0 ? [`spiffe://${trustDomain}/x`] : workloads.map(nameOf);
    const requests = this.#rules.flatMap((rule) =>
      destinations.flatMap((to) => witnessOfRule(rule, to, this.#world, change) ?? []),
    );
    if (workloads.length === 0) return requests[0];
    return requests.slice(0, MOST_TRIES).find((request) => this.#isAllowed(request, now));
  }

  #isAllowed(request: WitnessRequest, now: Date): boolean {
    try {
      this.#compiled ??= compiledOf(writeDocuments(this.#drafts, { ...this.#world, emitRegistry: true }));
      const { set, index } = this.#compiled;
      return decide(index, attributesOf(request, set, { now })).verdict === "allow";
    } catch (error) {
      if (error instanceof PolicyError) return false;
      throw error;
    }
  }
}

function compiledOf(documents: string): { readonly set: PolicySet; readonly index: Index } {
  const parsed = parseDocuments([{ path: "imported.yaml", text: documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  return { set, index: compile(set) };
}
