import { CliError } from "./cli-error.ts";

const FLOOR = { major: 20, minor: 19 } as const;

/** Throws `ERR_CLI_NODE` where Node.js is older than the package supports. */
export function requireNode(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) return;
  throw new CliError(
    "ERR_CLI_NODE",
    `cellwall needs Node.js ${FLOOR.major}.${FLOOR.minor} or newer; this is ${version}`,
    {
      hint: "install a newer Node.js, e.g. from your system's packages or with a version manager",
    },
  );
}
