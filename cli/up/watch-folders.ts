import { statSync } from "node:fs";
import { resolve } from "node:path";
import { policyPaths } from "../policy-folder.ts";

/** What to watch, and how often to look. */
export interface WatchOptions {
  readonly folders: readonly string[];
  readonly cwd: string;
  readonly intervalMs: number;
  /** Called once the files have stood still for one interval after a change; the next call waits for it. */
  changed(): Promise<void>;
}

/**
 * Watches policy folders by looking at them: names, sizes, inodes and times of change. That sees every kind of edit on every file system:
 * saves by rename, exchanged links of mounted configuration, checkouts, files that come and go. Returns what ends it.
 */
export function watchFolders(options: WatchOptions): () => Promise<void> {
  let told = fingerprint(options);
  let last = told;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const now = fingerprint(options);
    const settled = now === last;
    last = now;
    if (settled && now !== told) {
      told = now;
      await options.changed();
    }
  };
  const next = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = look().finally(next);
    }, options.intervalMs);
  };
  next();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

/** A text that differs when any policy file of the folders does. */
export function fingerprint({ folders, cwd }: Pick<WatchOptions, "folders" | "cwd">): string {
  return folders.map((folder) => folderFingerprint(folder, cwd)).join("\n");
}

function folderFingerprint(folder: string, cwd: string): string {
  try {
    const facts = policyPaths(folder, cwd).map((path) => {
      const { mtimeMs, ctimeMs, size, ino } = statSync(resolve(cwd, path));
      return `${path} ${mtimeMs} ${ctimeMs} ${size} ${ino}`;
    });
    return `${folder}\n${facts.join("\n")}`;
  } catch {
    // Between two steps of an editor or a checkout.
    return `${folder} unreadable`;
  }
}
