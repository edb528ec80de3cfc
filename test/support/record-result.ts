import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import { join } from "node:path";
import { depth } from "./depth.ts";
import { repositoryPath } from "./processes.ts";

/**
 * At full depth writes a figure to `docs/results/<name>.json`, with the commit (and whether anything but results was changed since)
 * and the machine that it was measured on; at quick depth it writes nothing.
 */
export function recordResult(name: string, figures: Readonly<Record<string, unknown>>): void {
  if (depth !== "full") return;
  const folder = repositoryPath("docs", "results");
  mkdirSync(folder, { recursive: true });
  const result = { name, ...figures, commit: commit(), at: new Date().toISOString(), machine: machine() };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync("git", [...args], { cwd: repositoryPath(), encoding: "utf8" }).trim();
  const changes = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/results");
  const changed = changes === "" ? "" : " with changes";
  return `${git("rev-parse", "HEAD")}${changed}`;
}

function machine(): Readonly<Record<string, unknown>> {
  return {
    platform: `${platform()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  };
}
