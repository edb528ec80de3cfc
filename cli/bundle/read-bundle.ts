import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { PolicyError, type PolicySet, printable, readShards } from "../../policies/index.ts";
import { bundleManifest, signedEnvelope } from "../../protocol/index.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import type { TrustOptions } from "../trust-options.ts";
import { trustAnchor } from "./anchor.ts";
import { type SignedBundle, verifyBundle } from "./verify-bundle.ts";

/** Whether a folder is a bundle: it holds `bundle.json`, beside its shards. */
export function isBundle(source: string, cwd: string): boolean {
  const folder = resolve(cwd, source);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder && isFile(join(folder, "bundle.json"));
}

const storedBundle = z.object({ envelope: signedEnvelope });

/**
 * The set of a bundle's shards that are there: an agent keeps those of its own workloads. Its signature is verified first.
 * Throws `ERR_CLI_FILE` for a bundle that is not whole, or that its mesh has not signed.
 */
export async function readBundle(source: string, options: TrustOptions, io: Io): Promise<PolicySet> {
  const folder = resolve(io.cwd, source);
  const bundle = whole(source, () => readManifest(folder, source));
  await verifyBundle(bundle, trustAnchor(options, io), io);
  return whole(source, () =>
    readShards(Object.values(bundle.manifest.shards).flatMap((sha256) => readShard(folder, sha256))),
  );
}

function readManifest(folder: string, shown: string): SignedBundle {
  const { envelope } = storedBundle.parse(JSON.parse(readFileSync(join(folder, "bundle.json"), "utf8")));
  const manifest = bundleManifest.parse(JSON.parse(Buffer.from(envelope.payload, "base64url").toString("utf8")));
  return { shown, envelope, manifest };
}

function whole<T>(shown: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof PolicyError ? error.message : (systemReason(error) ?? "it is not a whole bundle");
    throw new CliError("ERR_CLI_FILE", `cannot read the bundle \`${printable(shown)}\`: ${why}`, { cause: error });
  }
}

/** SECURITY: the signed manifest holds the hash of each shard, so that the signature covers them. */
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
