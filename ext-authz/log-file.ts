import { mkdirSync } from "node:fs";
import { appendFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** A file that grows to a limit and is then set aside as `<file>.1`, `<file>.2`, … */
export class RotatingFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #sizeBytes: number | undefined;

  constructor(path: string, options: { readonly maxBytes?: number; readonly keep?: number } = {}) {
    this.#path = path;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#keep = options.keep ?? 4;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  }

  /** Appends a text of whole lines. INVARIANT: one call at a time. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    const sizeBytes = this.#sizeBytes ?? (await sizeOf(this.#path));
    if (sizeBytes > 0 && sizeBytes + bytes > this.#maxBytes) {
      await this.#rotate();
      this.#sizeBytes = 0;
    } else {
      this.#sizeBytes = sizeBytes;
    }
    await appendFile(this.#path, text, { mode: 0o600 });
    this.#sizeBytes += bytes;
  }

  async #rotate(): Promise<void> {
    await rm(`${this.#path}.${this.#keep}`, { force: true });
    for (let n = this.#keep - 1; n >= 1; n--) await move(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
    await move(this.#path, `${this.#path}.1`);
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
