import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { tryParseTrustDomain } from "../../spiffe/index.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { lines, paint } from "../screen.ts";
import { starterSet } from "./starter-set.ts";

/** Writes the starter set and says what comes next; `ERR_CLI_USAGE`, `ERR_CLI_FILE` where a file is there already. */
export function writeStarterSet(options: { readonly folder: string; readonly trustDomain: string }, io: Io): void {
  const { folder, trustDomain } = options;
  const read = tryParseTrustDomain(trustDomain);
  if (!read.ok) throw new CliError("ERR_CLI_USAGE", `\`${trustDomain}\` is not a trust domain: ${read.message}`);
  const files = starterSet(trustDomain).map(({ name, text }) => ({ path: join(folder, name), text }));
  refuseOverwriting(
    files.map(({ path }) => path),
    io.cwd,
  );
  for (const { path, text } of files) write(path, text, io.cwd);
  lines(
    io.stdout,
    ...files.map(({ path }) => `${paint(io.stdout, "green", "wrote")} ${path}`),
    "",
    ...nextSteps(folder),
  );
}

function refuseOverwriting(paths: readonly string[], cwd: string): void {
  const there = paths.filter((path) => existsSync(resolve(cwd, path)));
  if (there.length === 0) return;
  throw new CliError(
    "ERR_CLI_FILE",
    `${there.map((path) => `\`${path}\``).join(", ")} ${there.length === 1 ? "is" : "are"} there already`,
    {
      hint: "nothing was written; name another folder, or remove what should be replaced",
    },
  );
}

function write(path: string, text: string, cwd: string): void {
  try {
    mkdirSync(resolve(cwd, path, ".."), { recursive: true });
    writeFileSync(resolve(cwd, path), text, { flag: "wx" });
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot write \`${path}\`: ${systemReason(error) ?? "not writable"}`, {
      cause: error,
    });
  }
}

function nextSteps(folder: string): readonly string[] {
  const named = folder === DEFAULT_POLICY_FOLDER ? "" : ` ${folder}`;
  const option = folder === DEFAULT_POLICY_FOLDER ? "" : ` --policies ${folder}`;
  return [
    "Next:",
    `  cellwall check${named}`,
    `  cellwall test${named}`,
    `  cellwall explain${option} --from web --to orders "GET /orders/42"`,
    `  cellwall up${named}`,
  ];
}
