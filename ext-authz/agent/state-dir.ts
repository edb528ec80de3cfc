import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { AgentError, messageOf } from "../agent-error.ts";

/**
 * The agent's files: small, each replaced as a whole, 0600 in folders of 0700. What is read back is verified again by its reader;
 * nothing in here is trusted because it lies here, but for the trust anchors and the agent's own keys.
 */
export class StateDir {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    this.#guard(path, () => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      chmodSync(path, 0o700);
    });
  }

  /** Undefined where there is no such file. */
  read(name: string): Buffer | undefined {
    const file = join(this.path, name);
    return this.#guard(file, () => {
      try {
        return readFileSync(file);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  readText(name: string): string | undefined {
    return this.read(name)?.toString("utf8");
  }

  /** JSON of a file; undefined where it is missing or not JSON (a torn write of another program, say). */
  readJson(name: string): unknown {
    const text = this.readText(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  /** Replaces a file in one step, flushed to disk before it takes its name. */
  write(name: string, content: string | Uint8Array): void {
    const file = join(this.path, name);
    this.#guard(file, () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const temporary = `${file}.new`;
      writeFlushed(temporary, typeof content === "string" ? Buffer.from(content) : content);
      renameSync(temporary, file);
    });
  }

  writeJson(name: string, value: unknown): void {
    this.write(name, `${JSON.stringify(value)}\n`);
  }

  remove(name: string): void {
    rmSync(join(this.path, name), { force: true });
  }

  /** Names in a folder; none where it is missing. */
  list(folder: string): string[] {
    try {
      return readdirSync(join(this.path, folder));
    } catch {
      return [];
    }
  }

  #guard<T>(file: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw new AgentError("ERR_AGENT_STATE", `the agent's state \`${file}\` cannot be used: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

function writeFlushed(path: string, bytes: Uint8Array): void {
  // SECURITY: created anew with 0600, so that a key is never readable to others, not even for a moment.
  rmSync(path, { force: true });
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
