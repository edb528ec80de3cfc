import { printable } from "../../policies/index.ts";
import { revokeResponse } from "../../protocol/index.ts";
import { normalizeSerial } from "../../spiffe/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { count, json, lines, paint } from "../screen.ts";
import type { CaOptions } from "./options.ts";

/** Options of `cellwall ca revoke`. */
export interface RevokeOptions extends CaOptions {
  readonly identity?: string;
  readonly serial?: string;
  readonly node?: string;
  readonly reason: string;
}

/** Revokes a certificate, an identity or a node, and prints what that took along. */
export async function caRevoke(options: RevokeOptions, io: Io): Promise<ExitCode> {
  const body = { ...subjectOf(options), reason: options.reason };
  const access = authorityAccess(options, io);
  const answer = await ask(access, { method: "POST", path: "/v1/revocations", body, answer: revokeResponse });
  if (options.output === "json") {
    json(io.stdout, answer);
    return EXIT.ok;
  }
  const took = [count(answer.serials, "certificate"), ...answer.identities.map((identity) => printable(identity))];
  lines(
    io.stdout,
    `${paint(io.stdout, "green", "revoked")}: ${took.join(", ")} (sequence ${answer.sequence})`,
    "requests are refused within about a second, on open connections too; `cellwall status` shows which nodes have it",
    `what is open already, streams and TCP connections of it, ends by ${endOfOpen(io.clock())} at the latest`,
  );
  return EXIT.ok;
}

/** Longest life of a stream and of a TCP connection through a generated sidecar. */
const LONGEST_OPEN_MS = 3_600_000;

function endOfOpen(now: Date): string {
  return new Date(now.getTime() + LONGEST_OPEN_MS).toISOString();
}

function subjectOf({ identity, serial, node }: RevokeOptions): Readonly<Record<string, string>> {
  const subjects = [
    ...(identity === undefined ? [] : [{ identity }]),
    ...(serial === undefined ? [] : [{ serial: normalizeSerial(serial) }]),
    ...(node === undefined ? [] : [{ node }]),
  ];
  const [only, ...others] = subjects;
  if (only !== undefined && others.length === 0) return only;
  throw new CliError("ERR_CLI_USAGE", "name exactly one of `--identity`, `--serial` and `--node`", {
    hint: "`cellwall ca status` lists identities and serials",
  });
}
