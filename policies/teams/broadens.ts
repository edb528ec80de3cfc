import { plainText } from "../guardrails/plain-text.ts";
import type { Attributes, PolicySet } from "../model/index.ts";
import { BROADER, callerClasses, comparison, DestinationSpace, Side, Universe } from "../space/index.ts";
import type { Document } from "../syntax/document.ts";

/** A set with the documents that it was resolved from. */
export interface PublishedSet {
  readonly set: PolicySet;
  readonly documents: readonly Document[];
}

/** Why a change allows more than before. */
export interface Broadening {
  /** One sentence, lower case. */
  readonly why: string;
  /** A request that was denied and is allowed now, where it is about one. */
  readonly example?: Attributes;
}

/**
 * Whether a change allows anything that was denied: a request, who may obtain an identity, or what teams and guardrails
 * permit. Undefined where it does not. What cannot be told counts as broader.
 */
export function broadens(
  before: PublishedSet,
  after: PublishedSet,
  { now }: { readonly now: Date },
): Broadening | undefined {
  return requestsBroaden(before.set, after.set, now) ?? rulesBroaden(before, after);
}

function requestsBroaden(before: PolicySet, after: PolicySet, now: Date): Broadening | undefined {
  const sides = [new Side(before), new Side(after)];
  const universe = new Universe({ now });
  const classes = callerClasses(sides);
  for (const destination of after.destinations) {
    const space = new DestinationSpace(universe, sides, destination, classes);
    const found = space.ask(comparison()).find(({ all }) => all[BROADER] !== undefined);
    const example = found?.all[BROADER];
    const who = found?.callers[0]?.name ?? "somebody";
    if (example !== undefined) return { why: `\`${who}\` may call \`${destination}\` as it could not before`, example };
    if (!space.exact) return { why: `what changes at \`${destination}\` is too much to be told apart` };
  }
  return undefined;
}

function rulesBroaden(before: PublishedSet, after: PublishedSet): Broadening | undefined {
  const [old, fresh] = [before, after].map(({ documents }) => textsOf(documents));
  for (const [name, text] of old ?? [])
    if (name.startsWith("Guardrail ") && fresh?.get(name) !== text) return { why: `the ${name} is changed or removed` };
  for (const [name, text] of fresh ?? [])
    if (!name.startsWith("Guardrail ") && old?.get(name) !== text) return { why: `the ${name} is new or changed` };
  if (plainText(before.set.mesh.approvals) !== plainText(after.set.mesh.approvals) && before.set.mesh.approvals)
    return { why: "who must approve changes" };
  return federationBroadens(before.set, after.set) ?? placesBroaden(before.set, after.set);
}

/** What vouches for foreign callers. That a trust domain is named or not shows in the requests. */
function federationBroadens(before: PolicySet, after: PolicySet): Broadening | undefined {
  const old = new Map((before.mesh.federation ?? []).map((one) => [one.trustDomain, plainText(one)]));
  for (const one of after.mesh.federation ?? [])
    if ((old.get(one.trustDomain) ?? plainText(one)) !== plainText(one))
      return { why: `what vouches for callers of \`${one.trustDomain}\` is changed` };
  return undefined;
}

function textsOf(documents: readonly Document[]): ReadonlyMap<string, string> {
  return new Map(
    documents.flatMap((one) =>
      one.kind === "Guardrail" || one.kind === "Team" || one.kind === "Node"
        ? [
            [
              `${one.kind} \`${one.namespace === "" ? one.name : `${one.namespace}/${one.name}`}\``,
              plainText([one.spec, one.labels]),
            ] as const,
          ]
        : [],
    ),
  );
}

/** Where an identity can be obtained, and by which process. */
function placesBroaden(before: PolicySet, after: PolicySet): Broadening | undefined {
  const old = new Map(before.workloads.map((one) => [one.identity.toString(), plainText([one.runsOn, one.attest])]));
  for (const { identity, runsOn, attest } of after.workloads) {
    const known = old.get(identity.toString());
    if (known !== undefined && known !== plainText([runsOn, attest]))
      return { why: `\`${identity}\` can be obtained elsewhere or by others` };
  }
  return undefined;
}
