import { workerData } from "node:worker_threads";
import { readYamlFile } from "../syntax/read-yaml-file.ts";
import { FilesTaken } from "./files-taken.ts";
import type { ReadFile, ThreadInput } from "./messages.ts";

/** Reads files from the last one on, until it meets the thread that reads them from the first one on. */
function readFromTheEnd({ files, buffer, answers }: ThreadInput): void {
  const taken = new FilesTaken(buffer);
  for (let at = files.length - 1; at >= 0; at--) {
    const file = files[at];
    if (file === undefined || !taken.take(at)) return;
    try {
      answers.postMessage({ at, yaml: readYamlFile(file) } satisfies ReadFile);
    } finally {
      // Without an answer the other thread reads the file itself.
      taken.done(at);
    }
  }
}

readFromTheEnd(workerData);
