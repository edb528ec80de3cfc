// What every entry script needs before dependencies exist: Node's built-ins only.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const SOURCE_FOLDERS = [
  "spiffe",
  "policies",
  "protocol",
  "flows",
  "envoy",
  "store",
  "ca",
  "authority",
  "ext-authz",
  "cli",
  "compose",
];

/** Ends the process with a message when Node.js is older than the package supports. */
export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  process.stderr.write(`cellwall needs Node.js 20.19 or newer; this is ${process.versions.node}\n`);
  process.exit(3);
}

/** Runs a command from the project's root with inherited output; resolves to its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** Installs dependencies when `node_modules` is missing or older than the lock file. */
export async function install() {
  const marker = join(root, "node_modules", ".package-lock.json");
  if (modified(marker) >= modified(join(root, "package-lock.json"))) return;
  process.stderr.write("installing dependencies (npm ci --ignore-scripts) …\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const code = await run(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", 2, 2],
  });
  if (code !== 0) {
    process.stderr.write("npm ci failed: check the network or your npm registry setting, then run the command again\n");
    process.exit(3);
  }
  utimesSync(marker, new Date(), new Date());
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) latest = Math.max(latest, newest(path));
    else if (entry.name.endsWith(".ts")) latest = Math.max(latest, statSync(path).mtimeMs);
  }
  return latest;
}

/** Compiles to `dist/` when a source is newer than the last build, or always with `force`. */
export async function build({ force = false } = {}) {
  const stamp = join(root, "dist", ".tsbuildinfo");
  const sources = SOURCE_FOLDERS.map((name) => join(root, name)).filter(existsSync);
  const latest = Math.max(
    modified(join(root, "tsconfig.json")),
    modified(join(root, "tsconfig.build.json")),
    ...sources.map(newest),
  );
  if (!force && existsSync(join(root, "dist", "cli", "main.js")) && modified(stamp) >= latest) return;
  process.stderr.write("building …\n");
  const code = await run(
    process.execPath,
    [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.build.json"],
    {
      stdio: ["ignore", 2, 2],
    },
  );
  if (code !== 0) {
    process.stderr.write("the build failed: see the messages above\n");
    process.exit(3);
  }
  await bundleCommand();
  utimesSync(stamp, new Date(), new Date());
}

/**
 * Puts what the command loads into few files beside `dist/cli/main.js`: Node.js takes half as long to load these as the modules that they
 * are made of. Large packages that few commands need stay packages.
 */
async function bundleCommand() {
  const { rolldown } = await import("rolldown");
  const folder = join(root, "dist", "cli");
  for (const name of readdirSync(folder)) if (name.startsWith("main-")) rmSync(join(folder, name));
  const bundled = ["commander", "node-forge", "yaml"];
  const external = (id) => /^[@a-z]/.test(id) && !bundled.some((name) => id === name || id.startsWith(`${name}/`));
  const input = { main: join(root, "cli", "main.ts") };
  const bundle = await rolldown({ input, cwd: root, platform: "node", external, logLevel: "silent" });
  await bundle.write({
    dir: folder,
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "main-[name]-[hash].js",
  });
  await bundle.close();
}
