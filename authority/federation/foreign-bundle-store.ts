/** What is kept of one federated trust domain. */
export interface KeptForeignBundle {
  readonly trustDomain: string;
  /** Digest of the document that the mesh gave to begin with; another one begins anew. */
  readonly origin: string;
  /** SPIFFE bundle document, as it was read. */
  readonly document: string;
  /** When the endpoint gave it, or said the same again. */
  readonly fetchedAt?: Date;
}

/** Keeps foreign bundles across restarts, so that a bundle once seen is never taken back. */
export interface ForeignBundleStore {
  load(): Promise<readonly KeptForeignBundle[]>;
  save(kept: KeptForeignBundle): Promise<void>;
  remove(trustDomain: string): Promise<void>;
}

/** In memory, for an authority without a store. */
export function memoryForeignBundleStore(): ForeignBundleStore {
  const kept = new Map<string, KeptForeignBundle>();
  return {
    load: async () => [...kept.values()],
    save: async (one) => void kept.set(one.trustDomain, one),
    remove: async (trustDomain) => void kept.delete(trustDomain),
  };
}
