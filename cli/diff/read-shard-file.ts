import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { PolicyError, type PolicySet, printable, readShards } from "../../policies/index.ts";
import { CliError, systemReason } from "../cli-error.ts";

/**
 * The set of a file with the shards of a bundle: one, a list, or `{ "shards": […] }`. Such a file carries no
 * signature; the caller says so. Throws `ERR_CLI_FILE`.
 */
export function readShardFile(path: string, cwd: string): PolicySet {
  try {
    const value: unknown = JSON.parse(readFileSync(resolve(cwd, path), "utf8"));
    return readShards(shardsOf(value));
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${printable(path)}\`: ${reasonOf(error)}`, {
      hint: "a JSON file holds the shards of a bundle; policies are YAML",
      cause: error,
    });
  }
}

function shardsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === "object" && value !== null && "shards" in value && Array.isArray(value.shards)) {
    return value.shards;
  }
  return [value];
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return "it is not JSON";
  if (error instanceof PolicyError) return printable(error.message);
  return systemReason(error) ?? "unreadable";
}
