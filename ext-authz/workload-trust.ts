import { foreignDomainsOf, type PolicySet } from "../policies/index.ts";
import type { TrustState } from "./workload-identity.ts";

/**
 * The trust bundles that one workload has to do with: the own trust domain's, and those of the foreign ones that its
 * lines name. The same object as long as nothing has changed.
 *
 * SECURITY: a foreign authority can vouch for callers only where somebody wrote that they may come; without a policy
 * that is nowhere.
 */
export class WorkloadTrust {
  readonly #identity: string;
  #known: { readonly trust: TrustState; readonly set: PolicySet | undefined; readonly own: TrustState } | undefined;

  constructor(identity: string) {
    this.#identity = identity;
  }

  of(trust: TrustState, set: PolicySet | undefined): TrustState {
    if (this.#known?.trust === trust && this.#known.set === set) return this.#known.own;
    const fresh = this.#filtered(trust, set);
    const before = this.#known?.own;
    const own = before !== undefined && isSame(before, fresh) ? before : fresh;
    this.#known = { trust, set, own };
    return own;
  }

  #filtered({ trustDomain, bundles }: TrustState, set: PolicySet | undefined): TrustState {
    const named = new Set<string>(set === undefined ? [] : foreignDomainsOf(set, this.#identity));
    const kept = [...bundles].filter(([name]) => name === trustDomain || named.has(name));
    return Object.freeze({ trustDomain, bundles: new Map(kept) });
  }
}

function isSame(a: TrustState, b: TrustState): boolean {
  return (
    a.trustDomain === b.trustDomain &&
    a.bundles.size === b.bundles.size &&
    [...a.bundles].every(([name, bundle]) => b.bundles.get(name) === bundle)
  );
}
