import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { PolicyFile } from "../syntax/policy-file.ts";
import type { YamlFile } from "../syntax/read-yaml.ts";
import { FilesTaken } from "./files-taken.ts";
import type { ReadFile, ThreadInput } from "./messages.ts";

/** Below so many characters, a file set is read before a thread has started. */
const WORTH_A_THREAD = 100_000;

/** A thread that has not read one file by then has died. */
const LONGEST_MS = 10_000;

const THREAD = new URL(import.meta.url.replace(/read-ahead\.(\w+)$/, "thread.$1"));

/**
 * The same files, of which a second thread reads the YAML meanwhile, from the last one on: `parseDocuments` takes what is there and reads
 * the rest itself, with the same outcome. Of few texts, on one processor, and where Node.js cannot run this file's own kind in a thread, it
 * is the files alone.
 */
export function readAhead(
  files: readonly PolicyFile[],
  { processors = availableParallelism() }: { readonly processors?: number } = {},
): readonly PolicyFile[] {
  const size = files.reduce((sum, { text }) => sum + text.length, 0);
  if (processors < 2 || size < WORTH_A_THREAD || !THREAD.pathname.endsWith(".js")) return files;
  const reading = new ReadingThread(files);
  return files.map(({ path, text }, at) => ({ path, text, yaml: () => reading.yamlOf(at) }));
}

class ReadingThread {
  readonly #taken: FilesTaken;
  readonly #answers: MessagePort;
  /** What the thread has read; undefined for what is left to the caller. */
  readonly #known = new Map<number, YamlFile | undefined>();

  constructor(files: readonly PolicyFile[]) {
    this.#taken = FilesTaken.of(files.length);
    const { port1, port2 } = new MessageChannel();
    this.#answers = port1;
    const workerData: ThreadInput = { files, buffer: this.#taken.buffer, answers: port2 };
    const worker = new Worker(THREAD, { workerData, transferList: [port2] });
    // What it has not read is read without it.
    worker.on("error", () => undefined);
    worker.unref();
  }

  /** What the thread has read; undefined where the caller is to read the file, which the thread does not do then. */
  yamlOf(at: number): YamlFile | undefined {
    if (!this.#known.has(at)) this.#settle(at);
    return this.#known.get(at);
  }

  #settle(at: number): void {
    if (!this.#taken.take(at) && this.#taken.wait(at, LONGEST_MS)) this.#receive();
    if (!this.#known.has(at)) this.#known.set(at, undefined);
  }

  #receive(): void {
    for (let next = receiveMessageOnPort(this.#answers); next; next = receiveMessageOnPort(this.#answers)) {
      const read: ReadFile = next.message;
      this.#known.set(read.at, read.yaml);
    }
  }
}
