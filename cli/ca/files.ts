import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { CliError, systemCode, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";

/** The text of a file that the user names; `ERR_CLI_FILE`. */
export function readText(file: string, io: Io): string {
  try {
    return readFileSync(resolve(io.cwd, file), "utf8");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}

/** Writes a new file, mode 0600 where it holds a secret; `ERR_CLI_FILE` where there is one already. */
export function writeNew(file: string, content: string | Uint8Array, io: Io, mode: 0o600 | 0o644): void {
  try {
    writeFileSync(resolve(io.cwd, file), content, { mode, flag: "wx" });
  } catch (error) {
    const why = systemCode(error) === "EEXIST" ? "it is there already" : (systemReason(error) ?? "not possible");
    throw new CliError("ERR_CLI_FILE", `cannot write \`${file}\`: ${why}`, { cause: error });
  }
}

/** The first line of a passphrase file, else of `CELLWALL_KEY_PASSPHRASE`; nothing where there is neither. */
export function readPassphrase(file: string | undefined, io: Io): string | undefined {
  if (file !== undefined) return readText(file, io).split(/\r?\n/)[0] ?? "";
  return process.env.CELLWALL_KEY_PASSPHRASE;
}

/** The DER of a request in PEM; `ERR_CLI_FILE`. */
export function requestFromPem(text: string, file: string): Buffer {
  const [, body] =
    /-----BEGIN CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/.exec(text) ?? [];
  if (body !== undefined) return Buffer.from(body, "base64");
  throw new CliError("ERR_CLI_FILE", `\`${file}\` holds no certificate request in PEM`, {
    hint: "make one with `cellwall ca request`",
  });
}
