import type { WitnessRequest } from "../../findings/finding.ts";
import { blockWithin } from "../draft/address-blocks.ts";
import { nameOf, type World } from "../draft/world.ts";
import { covers } from "../paths/compare.ts";
import { pathPatterns } from "./clause-requests.ts";
import { passes, textForm, textMatches } from "./identity-text.ts";
import type { Clause, Field, HeaderTest } from "./policy.ts";
import { type PlacedPolicy, selects } from "./selection.ts";

/** The policies of the source, and where they hold. */
export interface Source {
  readonly policies: readonly PlacedPolicy[];
  readonly rootNamespace: string;
  readonly world: World;
}

/** Absent: it depends on something that a written request does not say, such as a token. */
type Truth = boolean | undefined;

/** Whether Istio denies an HTTP request that is written down. */
export function sourceDenies(request: WitnessRequest, { policies, rootNamespace, world }: Source): Truth {
  const workload = world.workloads.find((one) => nameOf(one) === request.to);
  if (workload === undefined) return undefined;
  const selected = policies.filter((policy) => !policy.dryRun && selects(policy, workload, rootNamespace));
  const of = (action: PlacedPolicy["action"]): readonly PlacedPolicy[] =>
    selected.filter((policy) => policy.action === action && policy.untold === undefined);
  const hit = (action: PlacedPolicy["action"]): Truth =>
    some(
      of(action).flatMap(({ rules }) =>
        rules.flatMap(({ clauses }) => clauses.map((one) => holds(one, request, world))),
      ),
    );
  const denied = some([hit("DENY"), hit("CUSTOM")]);
  const allowed = of("ALLOW").length === 0 ? true : hit("ALLOW");
  if (denied === true || allowed === false) return true;
  return denied === undefined || allowed === undefined ? undefined : false;
}

function some(truths: readonly Truth[]): Truth {
  return truths.includes(true) ? true : truths.includes(undefined) ? undefined : false;
}

function holds(clause: Clause, request: WitnessRequest, world: World): Truth {
  const { identities, addresses, hosts, ports, methods, paths, headers, tokens, foreign } = clause;
  const [method = "", target = ""] = request.request.split(" ");
  const identity = identityOf(request, world);
  const each = (fields: readonly Field[], like: (value: string) => boolean): boolean =>
    fields.every(({ values, negated }) => values.some(like) !== negated);
  const host = (request.host ?? "").toLowerCase();
  const known =
    identities.every((test) => passes(test, identity, world)) &&
    each(addresses, (value) => blockWithin(request.address ?? "", value)) &&
    each(hosts, (value) => textMatches(textForm(value.toLowerCase()), host)) &&
    (request.port === undefined || each(ports, (value) => Number(value) === request.port)) &&
    each(methods, (value) => textMatches(textForm(value), method)) &&
    each(paths, (value) => pathPatterns(value).some((pattern) => covers(pattern, target))) &&
    headers.every((test) => headerHolds(test, request));
  const unsaid = tokens.length + foreign.length + (request.port === undefined ? ports.length : 0);
  return known && unsaid > 0 ? undefined : known;
}

function identityOf({ from }: WitnessRequest, { workloads }: World): string | undefined {
  if (from === "anonymous") return undefined;
  return workloads.find((one) => nameOf(one) === from)?.identity ?? from;
}

/** Values of a repeated header are one text. */
function headerHolds({ name, values, negated }: HeaderTest, { headers = {} }: WitnessRequest): boolean {
  const list = headers[name];
  const text = list === undefined ? undefined : [list].flat().join(",");
  return (
    (text !== undefined && values.some((value) => value === "*" || textMatches(textForm(value), text))) !== negated
  );
}
