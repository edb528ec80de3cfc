import { createHash } from "node:crypto";
import { tryParseSpiffeId } from "../../spiffe/index.ts";
import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import { decide } from "../decide/decide.ts";
import { type Finding, finding, type WitnessRequest, witnessOf, witnessText } from "../findings/index.ts";
import type { PolicySet, Span, Workload } from "../model/index.ts";
import { printable } from "../printable.ts";
import { linesOf } from "../reference/lines.ts";
import type { CallerClass } from "../space/index.ts";
import type { Document } from "../syntax/document.ts";
import type { GuardrailPartySyntax } from "../syntax/kinds/guardrail.ts";
import { type Hop, Hops } from "./hops.ts";
import { type Member, partyMatches } from "./party.ts";
import { plainText } from "./plain-text.ts";
import { shortestWay, type Way } from "./shortest-way.ts";

/** Options of `checkGuardrails`. */
export interface GuardrailOptions {
  /** Requests from this instant on count: a rule that begins later counts, one that has ended does not. */
  readonly now: Date;
  /** Documents whose guardrails hold as well, e.g. those in force that a publish would remove. */
  readonly alsoHold?: readonly Document[];
}

type Guardrail = Extract<Document, { readonly kind: "Guardrail" }>;

/**
 * What breaks the guardrails among documents in the live policies of their set: `guardrail-never`, `guardrail-only`, each
 * with a shortest way, and `guardrail-matches-nothing`. A workload in monitor mode lets every authenticated caller do
 * anything. What cannot be ruled out is reported as broken. Throws `PolicyError` `ERR_POLICY_SET_HAS_ERRORS`.
 */
export function checkGuardrails(
  set: PolicySet,
  documents: readonly Document[],
  { now, alsoHold = [] }: GuardrailOptions,
): readonly Finding[] {
  const guardrails = distinct([...documents, ...alsoHold]);
  if (guardrails.length === 0) return [];
  const checker = new Checker(set, compile(set), new Hops(set, now, namedBy(guardrails)));
  return guardrails.flatMap((guardrail) => checker.check(guardrail));
}

/** SHA-256 over what the guardrails among documents say, in order of their names; lower-case hex. Places and files do not matter. */
export function guardrailDigest(documents: readonly Document[]): string {
  const texts = distinct(documents)
    .map((one) => `${one.namespace}/${one.name} ${plainText(one.spec)}`)
    .sort();
  return createHash("sha256").update(texts.join("\n")).digest("hex");
}

/** Guardrails that say the same under the same name count once, at their first place. */
function distinct(documents: readonly Document[]): readonly Guardrail[] {
  const found = new Map<string, Guardrail>();
  for (const one of documents) {
    if (one.kind !== "Guardrail") continue;
    const key = `${one.namespace}/${one.name} ${plainText(one.spec)}`;
    if (!found.has(key)) found.set(key, one);
  }
  return [...found.values()];
}

/** Foreign identities that only guardrails name: one of each, and one below each prefix. */
function namedBy(guardrails: readonly Guardrail[]): readonly CallerClass[] {
  const parties = guardrails.flatMap(({ spec }) => [...(spec.never?.value ?? []), ...(spec.only?.value ?? [])]);
  return parties.flatMap(({ from: { spiffe } }): readonly CallerClass[] => {
    if (spiffe === undefined) return [];
    const { id, descendants } = spiffe.value;
    const one = descendants ? below(id.toString()) : id;
    return one === undefined ? [] : [{ id: one, name: one.toString(), stands: descendants }];
  });
}

function below(prefix: string): CallerClass["id"] {
  const read = tryParseSpiffeId(`${prefix}/whoever`);
  return read.ok ? read.id : undefined;
}

interface Entry {
  readonly guardrail: Guardrail;
  readonly kind: "never" | "only";
  /** From 1. */
  readonly number: number;
  readonly from: GuardrailPartySyntax;
  readonly to: GuardrailPartySyntax;
  readonly stopAt?: GuardrailPartySyntax | undefined;
  readonly through: boolean;
}

class Checker {
  readonly #set: PolicySet;
  readonly #index: Index;
  readonly #hops: Hops;

  constructor(set: PolicySet, index: Index, hops: Hops) {
    this.#set = set;
    this.#index = index;
    this.#hops = hops;
  }

  check(guardrail: Guardrail): readonly Finding[] {
    return entriesOf(guardrail).flatMap((entry) => this.#checkEntry(entry));
  }

  #checkEntry(entry: Entry): readonly Finding[] {
    const { guardrail, from, to } = entry;
    const { namespace } = guardrail;
    const targets = this.#hops.members.filter(
      (member) => member.workload !== undefined && partyMatches(to, member, namespace),
    );
    const callers = this.#hops.members.filter((member) => partyMatches(from, member, namespace));
    const nothing = [...(targets.length === 0 ? [nothingMatches(entry, "to")] : [])];
    if (callers.length === 0 && entry.kind === "never") nothing.push(nothingMatches(entry, "from"));
    return [...nothing, ...targets.flatMap(({ workload }) => (workload ? this.#checkTarget(entry, workload) : []))];
  }

  #checkTarget(entry: Entry, target: Workload): readonly Finding[] {
    const { guardrail, from, stopAt, kind } = entry;
    const { namespace } = guardrail;
    const named = (member: Member): boolean => partyMatches(from, member, namespace);
    const way = shortestWay({
      hops: this.#hops,
      from: kind === "never" ? named : (member) => !named(member),
      to: target.identity.toString(),
      through: entry.through,
      stops: (workload) => stopAt !== undefined && partyMatches(stopAt, this.#memberOf(workload), namespace),
    });
    const probes = kind === "never" && from.anyone?.value === "anonymous" ? probeFinding(entry, target) : [];
    return [...probes, ...(way === undefined ? [] : [this.#broken(entry, target, way)])];
  }

  #memberOf(workload: Workload): Member {
    return { of: { id: workload.identity, name: "", stands: false }, workload };
  }

  #broken({ guardrail, kind, number }: Entry, target: Workload, { hops, callers }: Way): Finding {
    const shown = hops.map((hop) => this.#show(hop));
    const name = `${guardrail.namespace}/${guardrail.name}`;
    const reached = `${target.namespace}/${target.name}`;
    const first = hops[0]?.from.of.name ?? "";
    const over = hops.length === 1 ? "" : ` over ${hops.length - 1} other${hops.length === 2 ? "" : "s"}`;
    const more = callers === 1 ? "" : `, and so can ${callers - 1} more`;
    const sure = shown.every(({ witness }) => witness !== undefined);
    const doubt = sure ? "" : "; it is too much to look at, so that it counts as possible";
    const says = kind === "never" ? `\`${name}\` forbids it` : `\`${name}\` lets others only`;
    const steps = shown.map(({ text }) => text).join("; then ");
    const [witness] = shown.flatMap((one) => one.witness ?? []);
    return finding({
      id: kind === "never" ? "guardrail-never" : "guardrail-only",
      severity: "error",
      span: guardrail.span,
      message: `\`${printable(first)}\` can reach \`${reached}\`${over}${more}, and ${says}: ${steps}${doubt}`,
      reason: "a guardrail says what must never become possible, whoever writes the policies",
      remedy: "narrow or deny the lines that are named, or have the platform change the guardrail",
      ...(witness === undefined ? {} : { witness }),
      related: shown.flatMap(({ line }) => line ?? []),
      about: [name, String(number), reached],
    });
  }

  #show({ from, to, example }: Hop): {
    readonly text: string;
    readonly witness?: WitnessRequest;
    readonly line?: { readonly span: Span; readonly message: string };
  } {
    const workload = this.#hops.workload(to);
    const name = workload === undefined ? to : `${workload.namespace}/${workload.name}`;
    if (example === undefined) return { text: `${from.of.name} → ${name}: possibly` };
    const decision = decide(this.#index, example);
    if (decision.verdict !== "allow") return { text: `${from.of.name} → ${name}: possibly` };
    const witness = witnessOf(example, this.#set);
    const line = linesOf(this.#set.policies).find(({ id }) => id === decision.line);
    const monitor = decision.evaluated === "deny" ? " (in monitor mode)" : "";
    return {
      text: `${witnessText(brief(witness))}${monitor}`,
      witness,
      ...(line === undefined || decision.evaluated === "deny"
        ? {}
        : { line: { span: line.request?.span ?? line.of.span, message: `allowed by \`${printable(line.id)}\`` } }),
    };
  }
}

/** What is asked of the caller, without what any request has. */
function brief({ host: _, port: __, address: ___, at: ____, ...rest }: WitnessRequest): WitnessRequest {
  return rest;
}

function entriesOf(guardrail: Guardrail): readonly Entry[] {
  const { never, only } = guardrail.spec;
  return [
    ...(never?.value ?? []).map(
      ({ from, to, through, stopAt }, at): Entry => ({
        guardrail,
        kind: "never",
        number: at + 1,
        from,
        to,
        stopAt,
        through: through?.value === "any",
      }),
    ),
    ...(only?.value ?? []).map(
      ({ from, to }, at): Entry => ({ guardrail, kind: "only", number: at + 1, from, to, through: false }),
    ),
  ];
}

function nothingMatches({ guardrail, kind, number, from, to }: Entry, side: "from" | "to"): Finding {
  const name = `${guardrail.namespace}/${guardrail.name}`;
  return finding({
    id: "guardrail-matches-nothing",
    severity: "warning",
    span: (side === "from" ? from : to).span ?? guardrail.span,
    message: `\`${side}\` of \`${name}\` (${kind} ${number}) matches nobody in this set`,
    reason: "a guardrail that is about nobody keeps nobody out",
    remedy: "correct the names or labels, or remove it",
    about: [name, kind, String(number), side],
  });
}

/** The probe listener answers anybody, without a decision. */
function probeFinding({ guardrail, number, from }: Entry, target: Workload): readonly Finding[] {
  const probes = target.sidecar?.probes;
  if (probes === undefined) return [];
  const name = `${guardrail.namespace}/${guardrail.name}`;
  const reached = `${target.namespace}/${target.name}`;
  const paths = probes.paths.map((path) => `\`${printable(path)}\``).join(", ");
  return [
    finding({
      id: "guardrail-never",
      severity: "error",
      span: from.span ?? guardrail.span,
      message: `anybody can read ${paths} of \`${reached}\` on its probe port ${probes.port}, and \`${name}\` forbids it`,
      reason: "probes are answered without certificate and without authorization",
      remedy: "remove `probes` from the workload's sidecar, or say in the guardrail which anonymous callers are meant",
      related: [{ span: target.span, message: `\`${reached}\`` }],
      about: [name, String(number), reached, "probes"],
    }),
  ];
}
