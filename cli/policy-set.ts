import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { PolicyError, type PolicySet, readShards } from "../policies/index.ts";
import { bundleManifest, signedEnvelope } from "../protocol/index.ts";
import { readGoodSet } from "./check/read-good-set.ts";
import { CliError, systemCode } from "./cli-error.ts";
import type { Io } from "./io.ts";

/**
 * A set without errors: of policy folders in their order, or of a bundle, which is a folder that holds `bundle.json` and
 * `shards/`, such as an agent's. Throws as `readGoodSet` does, `ERR_CLI_FILE` for a bundle that is not whole.
 */
export function readPolicySet(sources: readonly string[], io: Io): PolicySet {
  const [only, ...others] = sources;
  if (only === undefined || others.length > 0) return readGoodSet(sources, io);
  const folder = resolve(io.cwd, only);
  return isFile(join(folder, "bundle.json")) ? readBundle(folder, only) : readGoodSet(sources, io);
}

const storedBundle = z.object({ envelope: signedEnvelope });

/**
 * The shards of a bundle that are there: an agent keeps those of its own workloads.
 *
 * SECURITY: the signature is not looked at. What is read explains and simulates; nothing is let in by it.
 */
function readBundle(folder: string, shown: string): PolicySet {
  try {
    const { envelope } = storedBundle.parse(JSON.parse(readFileSync(join(folder, "bundle.json"), "utf8")));
    const manifest = bundleManifest.parse(JSON.parse(Buffer.from(envelope.payload, "base64url").toString("utf8")));
    const shards = Object.values(manifest.shards).flatMap((sha256) => readShard(folder, sha256));
    return readShards(shards);
  } catch (error) {
    const why = error instanceof PolicyError ? error.message : (systemCode(error) ?? "it is not a whole bundle");
    throw new CliError("ERR_CLI_FILE", `cannot read the bundle \`${shown}\`: ${why}`, { cause: error });
  }
}

function readShard(folder: string, sha256: string): readonly unknown[] {
  const path = join(folder, "shards", `${sha256}.json`);
  if (!isFile(path)) return [];
  const bytes = readFileSync(path);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw new TypeError("a shard that was changed");
  const shard: unknown = JSON.parse(bytes.toString("utf8"));
  return [shard];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
