import { blocksOutside, blocksWithinAll } from "../draft/address-blocks.ts";
import { covers } from "../paths/compare.ts";
import type { CalicoRule } from "./policy.ts";

/** Requests of one caller at one port that are still open: those included, without those excluded. */
export interface Grant {
  readonly methods: readonly string[] | undefined;
  readonly paths: readonly string[] | undefined;
  readonly addresses: readonly string[] | undefined;
  /** Lines `METHODS path`. */
  readonly except: readonly string[];
}

export const EVERYTHING: Grant = { methods: undefined, paths: undefined, addresses: undefined, except: [] };

/** The part of a grant that a rule is about; absent where there is none. Where it cannot be said, it is smaller. */
export function within(grant: Grant, { methods, paths, source }: CalicoRule): Grant | undefined {
  const both: Grant = {
    ...grant,
    methods: meet(grant.methods, methods, (a, b) => a.filter((one) => b.includes(one))),
    paths: meet(grant.paths, paths, (a, b) => [
      ...a.filter((one) => b.some((other) => covers(other, one))),
      ...b.filter((one) => a.some((other) => covers(other, one) && other !== one)),
    ]),
    addresses: meet(grant.addresses, netsOf(source), blocksWithinAll),
  };
  return both.methods?.length === 0 || both.paths?.length === 0 || both.addresses?.length === 0 ? undefined : both;
}

/** What is left of a grant once a rule has taken its part; where it cannot be said, less. */
export function without(grant: Grant, { methods, paths, source }: CalicoRule): Grant | undefined {
  const nets = netsOf(source);
  if (methods === undefined && paths === undefined) {
    if (nets === undefined) return undefined;
    const addresses = meet(grant.addresses, blocksOutside(nets), blocksWithinAll);
    return addresses?.length === 0 ? undefined : { ...grant, addresses };
  }
  const lines = (paths ?? ["/**"]).map((path) => `${methods === undefined ? "ANY" : methods.join("|")} ${path}`);
  return { ...grant, except: [...grant.except, ...lines] };
}

function netsOf({ nets, notNets }: CalicoRule["source"]): readonly string[] | undefined {
  if (notNets.length === 0) return nets;
  const outside = blocksOutside(notNets);
  return nets === undefined ? outside : blocksWithinAll(nets, outside);
}

function meet<T>(a: T | undefined, b: T | undefined, both: (a: T, b: T) => T): T | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : both(a, b);
}
