import { isSystemId, parseSpiffeId, type SpiffeId, type TrustDomain } from "../../spiffe/index.ts";
import type { CallerSelector } from "../model/index.ts";
import type { Side } from "./side.ts";

/** Callers that no entry of any `from` tells apart, by one of them; without identity: whoever calls an edge listener. */
export interface CallerClass {
  readonly id: SpiffeId | undefined;
  /** `anonymous`, `namespace/name` of a workload, an identity, or an identity that stands for others of its kind. */
  readonly name: string;
  /** Whether the identity stands for others: of a foreign trust domain, or below a prefix. */
  readonly stands: boolean;
}

/**
 * Every kind of caller that the sets can tell apart: anonymous ones, each registered workload, and of each federated
 * trust domain the identities that are named, one below each prefix that is named, and one of the others. Callers that
 * are denied before any rule are left out.
 */
export function callerClasses(sides: readonly Side[]): readonly CallerClass[] {
  const classes = new Map<string, CallerClass>([["", { id: undefined, name: "anonymous", stands: false }]]);
  for (const { workloads } of sides) {
    for (const [text, { identity, namespace, name }] of workloads) {
      if (!classes.has(text)) classes.set(text, { id: identity, name: `${namespace}/${name}`, stands: false });
    }
  }
  const named = sides.flatMap(namedIdentities);
  for (const trustDomain of foreignDomains(sides)) {
    for (const each of foreignClasses(trustDomain, named)) {
      const text = each.id?.toString() ?? "";
      if (!classes.has(text)) classes.set(text, each);
    }
  }
  return [...classes.values()];
}

type Named = NonNullable<CallerSelector["spiffe"]>;

function namedIdentities({ set }: Side): readonly Named[] {
  const named = new Map<string, Named>();
  for (const policy of set.policies) {
    for (const rule of [...policy.allow, ...policy.deny]) {
      for (const { spiffe } of [...(rule.from ?? []), ...(rule.except?.from ?? [])]) {
        if (spiffe !== undefined) named.set(`${spiffe.id} ${spiffe.descendants}`, spiffe);
      }
    }
  }
  return [...named.values()];
}

/** Trust domains that are foreign to some side and known to it. */
function foreignDomains(sides: readonly Side[]): ReadonlySet<TrustDomain> {
  return new Set(sides.flatMap(({ set }) => set.mesh.federated));
}

function foreignClasses(trustDomain: TrustDomain, named: readonly Named[]): readonly CallerClass[] {
  const here = named.filter(({ id }) => id.trustDomain === trustDomain);
  const texts = here.map(({ id }) => id.toString());
  const below = here.filter(({ descendants }) => descendants).map(({ id }) => someoneBelow(id.toString(), texts));
  const exact = here.filter(({ descendants }) => !descendants).map(({ id }) => classOf(id, false));
  const others = [...below, someoneBelow(`spiffe://${trustDomain}`, texts)].map((id) => classOf(id, true));
  return [...exact, ...others].filter(({ id }) => id !== undefined && !isSystemId(id));
}

function classOf(id: SpiffeId, stands: boolean): CallerClass {
  return { id, name: id.toString(), stands };
}

/** An identity below a prefix that nothing longer names. */
function someoneBelow(prefix: string, named: readonly string[]): SpiffeId {
  let last = "someone";
  while (named.some((text) => `${text}/`.startsWith(`${prefix}/${last}/`))) last = `${last}-else`;
  return parseSpiffeId(`${prefix}/${last}`);
}
