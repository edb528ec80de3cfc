import type { ConfigNode } from "./tree.ts";

/** Resources of a configuration, found by their kinds. */
export interface Resources {
  readonly listeners: readonly ConfigNode[];
  readonly clusters: readonly ConfigNode[];
  /** Route configurations and filter configurations that servers have sent, by name. */
  readonly routes: ReadonlyMap<string, ConfigNode>;
  readonly filters: ReadonlyMap<string, ConfigNode>;
}
