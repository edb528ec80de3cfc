import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Writes a file so that its name always holds either nothing, the old content or all of the new, power cuts included:
 * a sibling is written and flushed, renamed over the name, and the folder flushed. Mode 0600.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  const sibling = join(folder, `.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await writeFlushed(sibling, content);
    await rename(sibling, path);
  } catch (error) {
    await unlink(sibling).catch(() => undefined);
    throw error;
  }
  await flushFolder(folder);
}

/** Makes renames and removals in a folder last. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeFlushed(path: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
