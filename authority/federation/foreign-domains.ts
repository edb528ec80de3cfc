import type { Federation, Mesh } from "../../policies/index.ts";
import { SpiffeId, type TrustBundle, type TrustDomain } from "../../spiffe/index.ts";
import { AuthorityError } from "../authority-error.ts";
import { ForeignDomain, type ForeignDomainOptions, type ForeignDomainState } from "./foreign-domain.ts";

/** What following foreign trust domains stands on. */
export interface ForeignDomainsOptions extends Omit<ForeignDomainOptions, "vouching"> {
  /** The own trust domain's bundle, which may vouch for a server as well. */
  readonly own: () => TrustBundle;
}

/** The trust domains that the mesh in force federates with. */
export class ForeignDomains {
  readonly #options: ForeignDomainsOptions;
  readonly #domains = new Map<TrustDomain, ForeignDomain>();
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ForeignDomainsOptions) {
    this.#options = options;
  }

  /**
   * Follows the trust domains of this mesh and no other. What is no longer federated is forgotten at once, on disk too
   * (SPIFFE Federation, section 6).
   */
  follow({ federation = [] }: Pick<Mesh, "federation">): Promise<void> {
    const listed = new Map(federation.map((config) => [config.trustDomain, config]));
    const done = this.#queue.then(async () => {
      const gone = [...this.#domains].filter(
        ([name, domain]) => textOf(listed.get(name)) !== textOf(domain.state.config),
      );
      for (const [name, domain] of gone) {
        this.#domains.delete(name);
        await domain.close();
      }
      const kept = new Map((await this.#options.store.load()).map((one) => [one.trustDomain, one]));
      for (const name of kept.keys()) if (!isListed(listed, name)) await this.#options.store.remove(name);
      const fresh = federation.filter(({ trustDomain }) => !this.#domains.has(trustDomain));
      for (const config of fresh) {
        const domain = new ForeignDomain(config, { ...this.#options, vouching: (of) => this.#vouching(of) });
        this.#domains.set(config.trustDomain, domain);
        await domain.begin(kept.get(config.trustDomain));
      }
      if (gone.length + fresh.length > 0) this.#options.changed();
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** By trust domain; those without a bundle are in it too. */
  states(): ReadonlyMap<TrustDomain, ForeignDomainState> {
    return new Map([...this.#domains].map(([name, { state }]) => [name, state]));
  }

  /** The bundle document of a federated trust domain. */
  documentOf(trustDomain: TrustDomain): string | undefined {
    return this.#domains.get(trustDomain)?.state.document;
  }

  /** Asks one endpoint now, or all of them; `ERR_AUTHORITY_NOT_FEDERATED`. */
  async refresh(trustDomain?: string): Promise<void> {
    await this.#queue;
    const asked = [...this.#domains].filter(([name]) => trustDomain === undefined || name === trustDomain);
    if (asked.length === 0 && trustDomain !== undefined) {
      throw new AuthorityError("ERR_AUTHORITY_NOT_FEDERATED", `\`${trustDomain}\` is not federated`, {
        hint: "the Mesh lists trust domains under `federation`",
      });
    }
    await Promise.all(asked.map(([, domain]) => domain.refresh()));
  }

  async close(): Promise<void> {
    await this.#queue;
    await Promise.all([...this.#domains.values()].map((domain) => domain.close()));
    this.#domains.clear();
  }

  #vouching(trustDomain: TrustDomain): TrustBundle | undefined {
    const own = this.#options.own();
    return own.trustDomain === trustDomain ? own : this.#domains.get(trustDomain)?.state.bundle;
  }
}

function isListed(listed: ReadonlyMap<TrustDomain, Federation>, name: string): boolean {
  return [...listed.keys()].some((each) => each === name);
}

function textOf(config: Federation | undefined): string {
  return JSON.stringify(config, (_key, value: unknown) => (value instanceof SpiffeId ? value.toString() : value)) ?? "";
}
