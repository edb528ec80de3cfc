import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const manifest = z.object({ name: z.literal("cellwall"), version: z.string() });

/** The package's version, of the nearest `package.json` above this file that is ours. */
export function packageVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    const read = existsSync(file) ? manifest.safeParse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
    if (read?.success === true) return read.data.version;
  }
  return "unknown";
}
