import type { YamlFile } from "./read-yaml.ts";

/** One policy file; `path` is only shown. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
  /** What its YAML holds, where that was read elsewhere; undefined where it is yet to be read. */
  readonly yaml?: () => YamlFile | undefined;
}
