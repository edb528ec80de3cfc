/** A policy file as it was published. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

/** The files of the last good publish. */
export interface ArchivedSet {
  readonly files: readonly PolicyFile[];
  readonly publisher: string;
}

/** Where the last good set outlives the process: registry and policies come back from it at start. */
export interface PolicyArchive {
  load(): Promise<ArchivedSet | undefined>;
  /** Replaces what is there, at once; `undefined` empties it. */
  save(set: ArchivedSet | undefined): Promise<void>;
}

/** An archive in memory, for tests and for an authority without a store. */
export function memoryPolicyArchive(): PolicyArchive {
  let kept: ArchivedSet | undefined;
  return {
    load: async () => kept,
    save: async (set) => {
      kept = set;
    },
  };
}
