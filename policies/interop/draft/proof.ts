import { compile } from "../../compile/compile.ts";
import type { Index } from "../../compile/compiled.ts";
import { decide } from "../../decide/decide.ts";
import type { WitnessRequest } from "../../findings/finding.ts";
import { attributesOf } from "../../findings/witness.ts";
import type { PolicySet } from "../../model/index.ts";
import { PolicyError } from "../../policy-error.ts";
import { resolve } from "../../resolve/resolve.ts";
import { parseDocuments } from "../../syntax/parse-documents.ts";
import type { DraftCaller, DraftPolicy, DraftRule } from "./draft.ts";
import { mayBe } from "./may-be.ts";
import { witnessOfRule } from "./witness.ts";
import { type KnownWorkload, nameOf, type World } from "./world.ts";
import { writeDocuments } from "./write-documents.ts";

/** The most requests that are tried for one thing to be shown. */
const MOST_TRIES = 400;

/** The most callers of a rule that are tried. */
const MOST_CALLERS = 12;
/** The most methods and paths of a rule that are tried. */
const MOST_LINES = 16;
/** The most ports of a rule that are tried, half of them its first ones and half its last. */
const MOST_PORTS = 4;

type Nameless = Omit<DraftRule, "name">;

/** Finds requests that an import allows and the source may deny. Reads the drafts as the documents that they become. */
export class Proof {
  readonly #world: World;
  readonly #rules: readonly Nameless[];
  readonly #drafts: readonly DraftPolicy[];
  readonly #mayDeny: (request: WitnessRequest) => boolean;
  #compiled: { readonly set: PolicySet; readonly index: Index } | undefined;

  constructor(
    drafts: readonly DraftPolicy[],
    world: World,
    mayDeny: (request: WitnessRequest) => boolean = () => true,
  ) {
    this.#mayDeny = mayDeny;
    const live = drafts.filter(({ candidate }) => candidate === undefined);
    this.#world = world;
    this.#rules = live.flatMap(({ allow }) => allow);
    this.#drafts = live;
  }

  /**
   * A request of some allow rule, changed so, that is allowed; the first of all where there is no registry to decide about.
   * `first` are rules that are tried before all others.
   */
  allowed(change: Partial<WitnessRequest>, now: Date, first: readonly Nameless[] = []): WitnessRequest | undefined {
    const { workloads, trustDomain } = this.#world;
    const rules = [...first, ...this.#rules];
    const requestsTo = (to: string, of: readonly Nameless[]): readonly WitnessRequest[] =>
      of.flatMap((rule) => witnessOfRule(rule, to, this.#world, change) ?? []);
    if (workloads.length === 0) return requestsTo(`spiffe://${trustDomain}/x`, rules)[0];
    const toEach = workloads.map((to) =>
      requestsTo(
        nameOf(to),
        rules.flatMap((rule) => variantsOf(rule, to, workloads)),
      ),
    );
    return inTurns(toEach)
      .filter((request) => this.#mayDeny(request))
      .slice(0, MOST_TRIES)
      .find((request) => this.#isAllowed(request, now));
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

/** One of each list after the other, so that no list uses up all tries: which destinations a rule is of is not known here. */
function inTurns<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

/** The rule for one caller, one line and one port that the destination is known to listen on. */
function variantsOf(
  rule: Nameless,
  { ports }: KnownWorkload,
  workloads: readonly KnownWorkload[],
): readonly Nameless[] {
  const all = rule.ports ?? ports ?? [];
  const open = all.length <= MOST_PORTS ? all : [...all.slice(0, MOST_PORTS / 2), ...all.slice(-MOST_PORTS / 2)];
  const each = open.length === 0 ? [rule] : open.map((port) => ({ ...rule, ports: [port] }));
  const callers = (rule.from ?? []).flatMap((caller) => eachCaller(caller, workloads));
  const requests = (rule.requests ?? []).filter((line) => /^[A-Z|-]+ \//.test(line)).flatMap(eachMethod);
  return each.flatMap((one) =>
    callers
      .slice(0, MOST_CALLERS)
      .flatMap((caller) => requests.slice(0, MOST_LINES).map((line) => ({ ...one, from: [caller], requests: [line] }))),
  );
}

/** The workloads that a caller may be; itself where it names somebody already. */
function eachCaller(caller: DraftCaller, workloads: readonly KnownWorkload[]): readonly DraftCaller[] {
  const { workload, trustDomain, spiffe, anyone } = caller;
  if (workload !== undefined || trustDomain !== undefined || spiffe !== undefined || anyone === "anonymous")
    return [caller];
  return workloads.filter((one) => mayBe(caller, one)).map((one) => ({ ...caller, workload: nameOf(one) }));
}

function eachMethod(line: string): readonly string[] {
  const [word = "", path = ""] = line.split(" ");
  const methods = word === "ANY" ? ["GET", "PUT", "DELETE", "PATCH"] : word.split("|");
  return methods.map((method) => `${method} ${path}`);
}

function compiledOf(documents: string): { readonly set: PolicySet; readonly index: Index } {
  const parsed = parseDocuments([{ path: "imported.yaml", text: documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  return { set, index: compile(set) };
}
