import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { certificatesToPem, within } from "../../spiffe/index.ts";
import { X509Source } from "../../spiffe/workload-api/index.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { columns, count, json, lines } from "../screen.ts";
import type { SvidOptions } from "./options.ts";

/** Prints the X.509 identity of whoever asks, and writes it into files where told to. */
export async function showX509(
  options: SvidOptions & { readonly write?: string | undefined },
  io: Io,
): Promise<ExitCode> {
  const { timeoutMs, ...how } = sourceOptions(options, io);
  const open = (signal: AbortSignal) => X509Source.open({ ...how, signal, now: io.clock });
  const source = await within(io.signal, timeoutMs, open);
  try {
    const { chain, id, notAfter, notBefore, serial } = source.svid;
    const written = options.write === undefined ? [] : write(resolve(io.cwd, options.write), source);
    const trusts = [...source.bundles].map(([name, { x509Authorities }]) => ({ name, roots: x509Authorities.length }));
    const facts = { id: `${id}`, serial, notBefore, notAfter, certificates: chain.length, trusts, written };
    if (options.output === "json") json(io.stdout, facts);
    else {
      const rows = [
        ["serial", serial],
        ["valid", `${notBefore.toISOString()} to ${notAfter.toISOString()}`],
        ...trusts.map(({ name, roots }) => ["trusts", `${name} (${count(roots, "root")})`]),
        ...written.map((file) => ["wrote", file]),
      ];
      lines(io.stdout, facts.id, ...columns(rows));
    }
    return EXIT.ok;
  } finally {
    source.close();
  }
}

/** Where the Workload API is and how long it is waited for. */
export function sourceOptions(options: SvidOptions, io: Io) {
  const { address = io.env.SPIFFE_ENDPOINT_SOCKET, timeout } = options;
  if (!(timeout > 0 && timeout <= 86_400)) {
    throw new CliError("ERR_CLI_USAGE", "`--timeout` is a number of seconds, at most a day");
  }
  return { timeoutMs: timeout * 1000, backoffMs: () => 200, ...(address !== undefined && { address }) };
}

function write(folder: string, source: X509Source): string[] {
  const { chain, id, privateKey } = source.svid;
  const roots = source.bundleOf(id.trustDomain)?.x509Authorities ?? [];
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return [
      put(join(folder, "svid.pem"), certificatesToPem(chain), 0o644),
      put(join(folder, "key.pem"), key, 0o600),
      put(join(folder, "bundle.pem"), certificatesToPem(roots), 0o644),
    ];
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot write into \`${folder}\`: ${systemReason(error) ?? "unusable"}`, {
      cause: error,
    });
  }
}

/** Whole or not at all; SECURITY: a file of its own first, so that an old one's mode and readers do not matter. */
function put(file: string, text: string, mode: number): string {
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode, flag: "wx" });
  renameSync(fresh, file);
  return file;
}
