/** How far a node is from a clean state, from the first rejection until everything was sent again and taken. */
export interface Recovery {
  /** Grows with each replay: its editions are new to the sidecar. */
  edition: number;
  poisoned: boolean;
  replaying: boolean;
  /** Replays left until the next change of secrets. */
  replaysLeft: number;
}

const REPLAYS_A_CHANGE = 3;
const MAX_NODES = 64;

/** The nodes that rejected something. INVARIANT: at most `REPLAYS_A_CHANGE` replays between two changes. */
export class Recoveries {
  readonly #byNode = new Map<string, Recovery>();

  get(node: string): Recovery | undefined {
    return this.#byNode.get(node);
  }

  /** The node's record, a new one where it has none. `live` names the nodes that have a stream. */
  of(node: string, live: () => ReadonlySet<string>): Recovery {
    const known = this.#byNode.get(node);
    if (known !== undefined) return known;
    if (this.#byNode.size >= MAX_NODES) this.#forget(live());
    const recovery = { edition: 0, poisoned: false, replaying: false, replaysLeft: REPLAYS_A_CHANGE };
    this.#byNode.set(node, recovery);
    return recovery;
  }

  /** The secrets have changed: replays are worth a try again. */
  renew(): void {
    for (const recovery of this.#byNode.values()) recovery.replaysLeft = REPLAYS_A_CHANGE;
  }

  /** A sidecar has one node id; a peer that makes up new ones must not fill the memory. */
  #forget(live: ReadonlySet<string>): void {
    for (const node of this.#byNode.keys()) if (!live.has(node)) this.#byNode.delete(node);
  }
}
