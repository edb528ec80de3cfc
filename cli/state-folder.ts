import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { CliError, systemCode, systemReason } from "./cli-error.ts";

/** Where things lie in a state folder; absolute paths. */
export interface StateFolder {
  readonly root: string;
  readonly authority: string;
  readonly database: string;
  readonly keys: string;
  /** How administrators reach the running authority. */
  readonly admin: string;
  readonly trustDomain: string;
  readonly agent: string;
  readonly run: string;
  readonly decisionLog: string;
}

/** The layout of the state folder at `path`, which need not be there. */
export function stateFolder(path: string, cwd: string): StateFolder {
  const root = resolve(cwd, path);
  const authority = join(root, "authority");
  return {
    root,
    authority,
    database: join(authority, "authority.db"),
    keys: join(authority, "keys"),
    admin: join(authority, "admin.json"),
    trustDomain: join(authority, "trust-domain"),
    agent: join(root, "agent"),
    run: join(root, "run"),
    decisionLog: join(root, "log", "decisions.jsonl"),
  };
}

/** Makes a folder of the state, for its owner only; `ERR_CLI_STATE`. */
export function makeOwnFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    throw new CliError("ERR_CLI_STATE", `cannot use the folder \`${path}\`: ${systemReason(error) ?? "unusable"}`, {
      hint: "choose another one with `--state`",
      cause: error,
    });
  }
}

const adminAccess = z.strictObject({
  url: z.url(),
  token: z.string().min(1),
  rootPem: z.string(),
  rootFingerprint: z.string(),
});

/** How to reach a running authority as its administrator. */
export type AdminAccess = z.infer<typeof adminAccess>;

/** Writes `admin.json`, mode 0600, at once. SECURITY: it holds the admin token, so it is never readable by others, not even briefly. */
export function writeAdminAccess(state: StateFolder, access: AdminAccess): void {
  const draft = `${state.admin}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, `${JSON.stringify(access, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(draft, state.admin);
}

/** Reads `admin.json`; undefined where there is none, `ERR_CLI_STATE` where it cannot be read. */
export function readAdminAccess(state: StateFolder): AdminAccess | undefined {
  let text: string;
  try {
    text = readFileSync(state.admin, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw unreadable(state, error);
  }
  try {
    return adminAccess.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(state, error);
  }
}

/** Removes `admin.json` if it still holds this token. */
export function removeAdminAccess(state: StateFolder, token: string): void {
  if (readAdminAccess(state)?.token === token) rmSync(state.admin, { force: true });
}

function unreadable(state: StateFolder, cause: unknown): CliError {
  return new CliError(
    "ERR_CLI_STATE",
    `cannot read \`${state.admin}\`: ${systemCode(cause) ?? "not what it should be"}`,
    {
      hint: "run the command as the user who runs the authority",
      cause,
    },
  );
}
