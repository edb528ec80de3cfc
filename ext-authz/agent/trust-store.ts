import type { z } from "zod";
import { type TrustBundles, trustBundles } from "../../protocol/index.ts";
import { parseTrustBundle, parseTrustDomain, type TrustBundle, type TrustDomain } from "../../spiffe/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import type { TrustState } from "../workload-identity.ts";
import type { StateDir } from "./state-dir.ts";

const FILE = "trust-bundles.json";
/** More than two looks of the agent, and some seconds for clocks that differ. */
const LISTS_END_EARLY_MS = 60_000;

/** The anchors of the own trust domain and of the federated ones, kept on disk. */
export class TrustStore {
  readonly #files: StateDir;
  #state: TrustState | undefined;
  #workloads: TrustState | undefined;
  #external: { readonly bundle: TrustBundle | undefined } | undefined;
  #text = "";

  constructor(files: StateDir) {
    this.#files = files;
  }

  get state(): TrustState | undefined {
    return this.#state;
  }

  /** The own trust domain's bundle. */
  get own(): TrustBundle | undefined {
    return this.#state?.bundles.get(this.#state.trustDomain);
  }

  /**
   * Whom the sidecars believe: as `state`, with another authority's bundle in place of the own where one issues the workloads'
   * certificates; undefined while that bundle is not there.
   */
  get workloads(): TrustState | undefined {
    return this.#workloads;
  }

  /** Takes another authority's bundle; undefined where Cellwall's own authority issues. */
  setExternal(external: { readonly bundle: TrustBundle | undefined } | undefined): void {
    this.#external = external;
    this.#derive();
  }

  /** SECURITY: the own bundle is replaced, not joined: what Cellwall's authority signs is no workload of such a mesh. */
  #derive(): void {
    const state = this.#state;
    const bundle = this.#external?.bundle;
    if (this.#external === undefined || state === undefined) this.#workloads = state;
    else if (bundle === undefined) this.#workloads = undefined;
    else {
      const bundles = new Map([...state.bundles, [state.trustDomain, bundle] as const]);
      this.#workloads = Object.freeze({ trustDomain: state.trustDomain, bundles });
    }
  }

  /** Reads what an earlier run kept; a file that cannot be read counts as none. */
  restore(): void {
    const stored = trustBundles.safeParse(this.#files.readJson(FILE));
    if (!stored.success) return;
    try {
      this.#state = readBundles(stored.data);
      this.#text = JSON.stringify(stored.data);
    } catch {
      this.#state = undefined;
    }
    this.#derive();
  }

  /** The first bundle of the own trust domain, from enrolment. */
  begin(trustDomain: TrustDomain, text: string): void {
    this.take({ trustDomain, bundles: { [trustDomain]: text } });
  }

  /**
   * Takes the authority's list; true where it changed. Throws `AgentError` `ERR_AGENT_ANSWER` for a list without the own trust domain,
   * of another trust domain, with a bundle that cannot be read, or older than what is known.
   */
  take(message: TrustBundles): boolean {
    const text = JSON.stringify(message);
    if (text === this.#text) return false;
    const next = this.#checked(message);
    this.#state = next;
    this.#text = text;
    this.#derive();
    this.#files.writeJson(FILE, message);
    return true;
  }

  /**
   * Drops revocation lists that are about to end, as where the authority is away: a sidecar with an ended list believes nobody.
   * What is revoked is refused at each request without them. True where there were any.
   */
  endLists(now: Date): boolean {
    const state = this.#state;
    const own = this.own;
    const ends =
      own?.revocationLists?.some(({ until }) => until.getTime() - now.getTime() < LISTS_END_EARLY_MS) ?? false;
    if (!ends || state === undefined || own === undefined) return false;
    const { revocationLists: _ended, ...rest } = own;
    this.#state = Object.freeze({ ...state, bundles: new Map([...state.bundles, [own.trustDomain, rest] as const]) });
    this.#derive();
    return true;
  }

  #checked(message: TrustBundles): TrustState {
    const next = readBundles(message);
    const own = next.bundles.get(next.trustDomain);
    if (own === undefined)
      throw new AgentError("ERR_AGENT_ANSWER", "the list of trust bundles lacks the own trust domain");
    if (this.#state !== undefined && this.#state.trustDomain !== next.trustDomain) {
      throw new AgentError("ERR_AGENT_ANSWER", `the list of trust bundles is of trust domain \`${next.trustDomain}\``);
    }
    const known = this.own?.sequence;
    if (known !== undefined && own.sequence !== undefined && own.sequence < known) {
      throw new AgentError(
        "ERR_AGENT_ANSWER",
        `the own trust bundle ${own.sequence} is older than ${known}, which is in use`,
        {
          hint: "an authority from a backup goes on by `cellwall ca recover`; agents of one that was founded anew begin with an empty state folder",
        },
      );
    }
    return next;
  }
}

function readBundles(message: z.infer<typeof trustBundles>): TrustState {
  try {
    const bundles = new Map<TrustDomain, TrustBundle>();
    for (const [name, text] of Object.entries(message.bundles)) {
      const trustDomain = parseTrustDomain(name);
      bundles.set(trustDomain, parseTrustBundle(trustDomain, text));
    }
    addLists(bundles, message);
    return Object.freeze({ trustDomain: parseTrustDomain(message.trustDomain), bundles });
  } catch (error) {
    throw new AgentError("ERR_AGENT_ANSWER", `a trust bundle cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function addLists(bundles: Map<TrustDomain, TrustBundle>, message: z.infer<typeof trustBundles>): void {
  const { revocationLists = [] } = message;
  const trustDomain = parseTrustDomain(message.trustDomain);
  const own = bundles.get(trustDomain);
  if (own === undefined || revocationLists.length === 0) return;
  const lists = revocationLists.map(({ der, until }) => ({
    der: Buffer.from(der, "base64url"),
    until: new Date(until),
  }));
  bundles.set(trustDomain, Object.freeze({ ...own, revocationLists: lists }));
}
