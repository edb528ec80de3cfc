let loaded: Promise<typeof import("jose")> | undefined;

/** The library of signatures, loaded where one is first made or verified: most of what reads identities never does. */
export function jose(): Promise<typeof import("jose")> {
  loaded ??= import("jose");
  return loaded;
}
