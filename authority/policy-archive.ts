/** A policy file as it was published. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
  /** Name of the source that it belongs to; absent means the platform's own. */
  readonly source?: string;
}

/** The files of the last good publish. */
export interface ArchivedSet {
  readonly files: readonly PolicyFile[];
  readonly publisher: string;
  /** Who approved the newest publish, where it needed to be. */
  readonly approvers?: readonly string[];
  /** Git commit of the newest publish. */
  readonly commit?: string;
}

/** A publish that waits for somebody else's approval. */
export interface PendingPublish {
  readonly id: string;
  readonly at: Date;
  readonly publisher: string;
  readonly source: string;
  readonly commit?: string;
  readonly why: string;
  /** Digest of the files in force that it was made against. */
  readonly base: string;
  readonly files: readonly PolicyFile[];
}

/** Where the last good set outlives the process: registry and policies come back from it at start. */
export interface PolicyArchive {
  load(): Promise<ArchivedSet | undefined>;
  /** Replaces what is there, at once; `undefined` empties it. */
  save(set: ArchivedSet | undefined): Promise<void>;
  /** Publishes that wait for approval, oldest first. */
  pending(): Promise<readonly PendingPublish[]>;
  /** Replaces the list, at once. */
  savePending(all: readonly PendingPublish[]): Promise<void>;
}

/** An archive in memory, for tests and for an authority without a store. */
export function memoryPolicyArchive(): PolicyArchive {
  let kept: ArchivedSet | undefined;
  let waiting: readonly PendingPublish[] = [];
  return {
    load: async () => kept,
    save: async (set) => {
      kept = set;
    },
    pending: async () => waiting,
    savePending: async (all) => {
      waiting = all;
    },
  };
}
