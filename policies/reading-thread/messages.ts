import type { MessagePort } from "node:worker_threads";
import type { PolicyFile } from "../syntax/policy-file.ts";
import type { YamlFile } from "../syntax/read-yaml.ts";

/** What the thread is started with. */
export interface ThreadInput {
  readonly files: readonly PolicyFile[];
  /** Of a `FilesTaken`. */
  readonly buffer: SharedArrayBuffer;
  /** Where it sends each `ReadFile`. */
  readonly answers: MessagePort;
}

/** One file that it has read. */
export interface ReadFile {
  readonly at: number;
  readonly yaml: YamlFile;
}
