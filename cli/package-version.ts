import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's version, of the nearest `package.json` above this file that is ours. */
export function packageVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    const version = existsSync(file) ? versionIn(JSON.parse(readFileSync(file, "utf8"))) : undefined;
    if (version !== undefined) return version;
  }
  return "unknown";
}

function versionIn(manifest: unknown): string | undefined {
  if (typeof manifest !== "object" || manifest === null || !("name" in manifest) || !("version" in manifest))
    return undefined;
  return manifest.name === "cellwall" && typeof manifest.version === "string" ? manifest.version : undefined;
}
