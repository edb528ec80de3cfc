import { caStatus } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { json, lines, paint } from "../screen.ts";
import { readText } from "./files.ts";
import { laggardLines } from "./rotation-lines.ts";

/** Options of `cellwall ca import`. */
export interface ImportOptions extends AuthorityOptions, OutputOptions {
  readonly rootCert: string;
  readonly reason: string;
}

/** Takes a signed intermediate, and the root above it where that is another one, into the running authority. */
export async function caImport(chain: string, options: ImportOptions, io: Io): Promise<ExitCode> {
  const access = authorityAccess(options, io);
  const body = { root: readText(options.rootCert, io), chain: readText(chain, io), reason: options.reason };
  const status = await ask(access, { method: "POST", path: "/v1/ca/imports", body, answer: caStatus });
  if (options.output === "json") {
    json(io.stdout, status);
    return EXIT.ok;
  }
  const under = status.rotations.filter(({ phase }) => phase !== "outlasting");
  lines(
    io.stdout,
    `${paint(io.stdout, "green", "taken")}: ${under.length === 0 ? "it signs from now on" : "it signs once every live sidecar is ready"}`,
    ...under.flatMap((one) => laggardLines(one, status.now)),
  );
  return EXIT.ok;
}
