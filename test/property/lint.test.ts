import { describe, expect, it } from "vitest";
import { compile } from "../../policies/compile/compile.ts";
import { decide } from "../../policies/decide/decide.ts";
import { attributesOf } from "../../policies/findings/index.ts";
import { lint } from "../../policies/lint/index.ts";
import type { LineOf } from "../../policies/lint/line-at.ts";
import type { LineStanding } from "../../policies/lint/standing.ts";
import { subjectOf } from "../../policies/lint/subject.ts";
import { parseAddress } from "../../policies/match/address.ts";
import type { AccessPolicy, Attributes, Decision, JwtProvider, PolicySet, Rule } from "../../policies/model/index.ts";
import { linesOf, lineTruth } from "../../policies/reference/lines.ts";
import { referenceDecide } from "../../policies/reference/reference-decide.ts";
import { apartLabels, situationOf } from "../../policies/reference/situation.ts";
import { buildSet, NOW, type PolicyInput, type RuleInput, type SetInput } from "../../policies/testing/build.ts";
import { recordResult } from "../support/record-result.ts";
import { generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";

const REQUESTS_A_SET = 4;
const REQUESTS_A_FOUND_LINE = 3;
const PROVIDERS = ["corp", "other"];

describe("lint", () => {
  it("judges every line of random sets as deciding request by request does", () => {
    const seed = runSeed();
    const sets = runCount(300, 20_000);
    const seen = new Map<string, number>();
    for (let done = 0; done < sets; done++) runSet((seed + done) >>> 0, seen);
    const counts = [...seen].sort(([, left], [, right]) => right - left);
    console.log(`CELLWALL_SEED=${seed}: ${sets} sets\n${counts.map(([key, count]) => `  ${count} ${key}`).join("\n")}`);
    expect(EVENTS.filter((event) => !seen.has(event))).toEqual([]);
    expect(seen.get("undecided") ?? 0).toBeLessThan((seen.get("matters") ?? 0) / 100);
    recordResult("lint-against-decisions", { seed, sets, disagreements: 0, met: Object.fromEntries(counts) });
  });
});

/** What must have been met, or the run has proved nothing about it. */
const EVENTS = [
  ...["matters", "never", "overridden", "duplicate", "shadowed", "redundant"],
  ...["hit overridden", "hit duplicate", "hit shadowed", "hit redundant", "removed from a decision"],
  ...["evadable-deny", "contradicted-by-deny", "literal-swept-in"].map((id) => `witness ${id}`),
];

type Count = (event: string) => void;

function runSet(seed: number, seen: Map<string, number>): void {
  const random = new Random(seed);
  const input = distinctLines(withMore(random, generateSet(random)));
  const set = withProviders(buildSet(input));
  const count: Count = (event) => seen.set(event, (seen.get(event) ?? 0) + 1);
  const fail = (what: string, about: unknown): never => {
    const shown = JSON.stringify(about, (_, value) => (value instanceof Map ? [...value] : value));
    throw new Error(`CELLWALL_SEED=${seed}: ${what}\n${shown}`);
  };
  const live = subjectOf(set, NOW, [])
    .standings()
    .filter(({ line }) => line.policy.stage === "live");
  for (const { standing } of live) count(standing.kind);
  const found = live.filter(({ standing }) => standing.kind !== "matters" && standing.kind !== "undecided");
  const left = without(
    set,
    found.map(({ line }) => line),
  );
  const requests = [
    ...Array.from({ length: REQUESTS_A_SET }, () => generateRequest(random, input, set)),
    ...found.flatMap(({ line }) => requestsFor(random, line, input)),
  ].map(known);
  for (const one of live) checkWitness(one, left, fail);
  for (const request of requests) {
    checkStandings(live, set, request, count, fail);
    const [before, after] = [referenceDecide(set, request), referenceDecide(left, request)];
    if (said(before) !== said(after)) fail("removing what lint found changes a decision", [request, before, after]);
    if (before.line !== after.line) count("removed from a decision");
  }
  checkFindings(set, count, fail);
}

/** Requests that are made for the rule of a line. */
function requestsFor(random: Random, { policy, rule }: LineOf, input: SetInput): readonly Attributes[] {
  const only = (rules: readonly RuleInput[] | undefined): readonly RuleInput[] =>
    (rules ?? []).filter(({ name }) => name === rule.name);
  const policies = input.policies
    .filter(({ name, namespace, stage }) => name === policy.name && namespace === policy.namespace && stage === "live")
    .map((one) => ({ ...one, allow: only(one.allow), deny: only(one.deny) }));
  const alone = { ...input, policies };
  const set = buildSet(alone);
  return Array.from({ length: REQUESTS_A_FOUND_LINE }, () => generateRequest(random, alone, set));
}

function said({ verdict, evaluated }: Decision): string {
  return `${verdict} ${evaluated}`;
}

/** The resolver refuses a token condition of a provider that the mesh does not have. */
function withProviders(set: PolicySet): PolicySet {
  const provider: JwtProvider = { issuer: "https://id.example", audiences: ["a"], jwks: { inline: "{}" } };
  const jwtProviders = new Map(PROVIDERS.map((name) => [name, provider]));
  return { ...set, mesh: { ...set.mesh, jwtProviders } };
}

/** Puts copies and parts of rules beside them, since by chance alone lines hardly ever cover one another. */
function withMore(random: Random, input: SetInput): SetInput {
  const more = (rules: readonly RuleInput[], prefix: string): readonly RuleInput[] =>
    rules.flatMap((rule, at) => {
      const parts = random.chance(0.15) ? partsOf(random, rule) : [];
      const named = parts.map((part, number) => ({ ...part, name: `${prefix}${at}-${number}` }));
      return random.chance(0.7) ? [...named, rule] : [rule, ...named];
    });
  const policies = input.policies.map((one) => ({
    ...one,
    allow: more(one.allow ?? [], "a"),
    deny: more(one.deny ?? [], "d"),
  }));
  return { ...input, policies };
}

function partsOf(random: Random, rule: RuleInput): readonly RuleInput[] {
  const from = rule.from?.map((entry) => ({ ...rule, from: [entry] }));
  const requests = rule.requests?.flatMap((line) => {
    const [methods = "", path = ""] = line.split(" ");
    return methods.split("|").map((method) => ({ ...rule, requests: [`${method} ${path}`] }));
  });
  const headers = ["equals", "not"] as const;
  const values = headers.map((kind) => ({
    ...rule,
    headers: { ...rule.headers, "x-a": { kind, value: "v" } as const },
  }));
  const present = { ...rule, headers: { ...rule.headers, "x-a": { kind: "present" } as const } };
  return random.pick([from ?? [], requests ?? [], requests ?? [], [...values, present], [rule]]);
}

/** The resolver refuses a line twice in one rule. */
function distinctLines(input: SetInput): SetInput {
  const rule = (one: RuleInput): RuleInput =>
    one.requests === undefined ? one : { ...one, requests: [...new Set(one.requests)] };
  const policy = (one: PolicyInput): PolicyInput => ({
    ...one,
    allow: (one.allow ?? []).map(rule),
    deny: (one.deny ?? []).map(rule),
  });
  return { ...input, policies: input.policies.map(policy) };
}

/** The request with everything that a condition may ask for, from now on. */
function known(request: Attributes): Attributes {
  const { withheldHeaders: _, unrecorded: __, peerAddress, ...rest } = request;
  const claims = new Map(PROVIDERS.map((name) => [name, request.claims?.get(name) ?? ({ kind: "absent" } as const)]));
  const address = peerAddress !== undefined && parseAddress(peerAddress) !== undefined ? peerAddress : "10.1.2.3";
  return { ...rest, claims, peerAddress: address, now: new Date(Math.max(request.now.getTime(), NOW.getTime())) };
}

/** The set without lines; a rule goes with its last one. */
function without(set: PolicySet, lines: readonly LineOf[]): PolicySet {
  const gone = new Set(lines.map(({ lineId }) => lineId));
  const rules = (policy: AccessPolicy, list: readonly Rule[]): readonly Rule[] =>
    list.flatMap((rule) => {
      const id = (text: string): string => `${policy.namespace}/${policy.name}/${rule.name}#${text}`;
      if (rule.requests === undefined) return gone.has(id("*")) ? [] : [rule];
      const requests = rule.requests.filter(({ text }) => !gone.has(id(text)));
      return requests.length === 0 ? [] : [{ ...rule, requests }];
    });
  const policies = set.policies.map((policy) =>
    policy.stage === "candidate"
      ? policy
      : { ...policy, allow: rules(policy, policy.allow), deny: rules(policy, policy.deny) },
  );
  return { ...set, policies };
}

/** A line that matters decides its witness alone: with it one way, without it the other. */
function checkWitness(
  { line, standing }: LineStanding,
  left: PolicySet,
  fail: (what: string, about: unknown) => never,
): void {
  if (standing.kind !== "matters") return;
  const attributes = standing.attributes();
  if (line.rule.effect === "allow") {
    const [having, lacking] = [left, without(left, [line])].map((set) => referenceDecide(set, attributes));
    if (having?.evaluated !== "allow" || having.line !== line.lineId || lacking?.evaluated !== "deny")
      fail("the witness of an allow is not decided by it", [line.lineId, attributes, having, lacking]);
    return;
  }
  // Everything is known here, so that unknown is what asks for a path or a host that was refused.
  const holds = ({ of, truth }: LineTruth): boolean => truth === true || (of.always && truth === "unknown");
  const hit = truthsOf(left, attributes).filter(
    (each) => each.of.effect === "deny" && holds(each) && (each.of.always || !line.rule.always),
  );
  if (hit.length !== 1 || hit[0]?.id !== line.lineId)
    fail("the witness of a deny is not hit by it alone", [line.lineId, attributes, hit.map(({ id }) => id)]);
}

interface LineTruth {
  readonly id: string;
  readonly of: Rule;
  readonly truth: ReturnType<typeof lineTruth>;
}

/** What each live line of a request's destination says; an allow that isolation takes the effect from is false. */
function truthsOf(set: PolicySet, attributes: Attributes): readonly LineTruth[] {
  const situation = situationOf(set, attributes, set.destinations);
  const apart = apartLabels(situation);
  const destination = attributes.destination.toString();
  const policies = set.policies.filter(
    ({ stage, destinations }) => stage === "live" && destinations.includes(destination),
  );
  return linesOf(policies).map((line) => {
    const isApart = line.of.effect === "allow" && apart.some((label) => !line.of.across.includes(label));
    return { id: line.id, of: line.of, truth: isApart ? false : lineTruth(line, situation) };
  });
}

function checkStandings(
  live: readonly LineStanding[],
  set: PolicySet,
  request: Attributes,
  count: Count,
  fail: (what: string, about: unknown) => never,
): void {
  const decision = referenceDecide(set, request);
  if (decision.phase === "intake") return;
  const truths = truthsOf(set, request);
  const isTrue = (id: string): boolean => truths.some((each) => each.id === id && each.truth === true);
  for (const { line, standing } of live) {
    const hit = isTrue(line.lineId);
    if (hit) count(`hit ${standing.kind}`);
    const wrong = (): never =>
      fail(`not ${standing.kind}`, [line.lineId, request, decision, truths.map(({ id, truth }) => [id, truth])]);
    if (hit && standing.kind === "never") wrong();
    if (hit && standing.kind === "overridden" && decision.evaluated === "allow") wrong();
    if (hit && standing.kind === "overridden" && !standing.by.some(({ lineId }) => isTrue(lineId))) wrong();
    if (standing.kind !== "shadowed" && standing.kind !== "duplicate") continue;
    const isHere = standing.by.policy.destinations.includes(request.destination.toString());
    if (hit && !isTrue(standing.by.lineId)) wrong();
    const owns = line.policy.destinations.includes(request.destination.toString());
    if (standing.kind === "duplicate" && owns && isHere && isTrue(standing.by.lineId) !== hit) wrong();
  }
}

/** The verdict that the witness of a finding shows. */
const CLAIMED: ReadonlyMap<string, Decision["evaluated"]> = new Map([
  ["contradicted-by-deny", "deny"],
  ["literal-swept-in", "allow"],
  ["evadable-deny", "allow"],
  ["method-evadable-deny", "allow"],
  ["case-evadable-deny", "allow"],
  ["deny-with-time-limit", "allow"],
]);

function checkFindings(set: PolicySet, count: Count, fail: (what: string, about: unknown) => never): void {
  const liveOnly = { ...set, policies: set.policies.filter(({ stage }) => stage === "live") };
  const index = compile(liveOnly);
  for (const one of lint(liveOnly, { now: NOW })) {
    if (one.witness === undefined) continue;
    const decision = decide(index, attributesOf(one.witness, liveOnly, { now: NOW }));
    count(`witness ${one.id}`);
    if (decision.evaluated !== CLAIMED.get(one.id)) fail(`the witness of ${one.id} does not replay`, [one, decision]);
  }
}
