import { printable } from "../../policies/index.ts";
import { openReport, revokeResponse } from "../../protocol/index.ts";
import { normalizeSerial } from "../../spiffe/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { columns, count, json, lines, paint } from "../screen.ts";
import { followRevocation, type OpenAtNode, type RevocationOutcome } from "./follow-revocation.ts";
import type { CaOptions } from "./options.ts";

/** Options of `cellwall ca revoke`. */
export interface RevokeOptions extends CaOptions {
  readonly identity?: string;
  readonly serial?: string;
  readonly node?: string;
  readonly reason: string;
  readonly sever?: boolean;
}

/**
 * Revokes a certificate, an identity or a node, and prints what that took along and what stays open; with `--sever` it waits for the end
 * of that too. `EXIT.findings` where something stays open all the same.
 */
export async function caRevoke(options: RevokeOptions, io: Io): Promise<ExitCode> {
  const { sever = false } = options;
  const body = { ...subjectOf(options), reason: options.reason, ...(sever ? { sever } : {}) };
  const access = authorityAccess(options, io);
  const answer = await ask(access, { method: "POST", path: "/v1/revocations", body, answer: revokeResponse });
  if (sever) lines(io.stderr, "waiting for sidecars to tell of everything that is open: seven seconds at least");
  const look = () => ask(access, { method: "GET", path: "/v1/open", answer: openReport });
  const outcome = await followRevocation(answer, { sever, look, signal: io.signal });
  if (options.output === "json") {
    json(io.stdout, { ...answer, ...outcome });
    return exitOf(outcome, sever);
  }
  const took = [count(answer.serials, "certificate"), ...answer.identities.map((identity) => printable(identity))];
  lines(
    io.stdout,
    `${paint(io.stdout, "green", "revoked")}: ${took.join(", ")} (sequence ${answer.sequence})`,
    ...nodeLines(outcome, io),
    ...openLines(outcome, sever, io),
  );
  return exitOf(outcome, sever);
}

function exitOf({ lagging, open }: RevocationOutcome, sever: boolean): ExitCode {
  return sever && open.length + lagging.length > 0 ? EXIT.findings : EXIT.ok;
}

function nodeLines({ inForce, lagging, seconds }: RevocationOutcome, io: Io): readonly string[] {
  if (inForce.length + lagging.length === 0)
    return ["no node has reported yet: agents refuse it as soon as they connect"];
  const inTime = `in force on ${inForce.length} of ${count(inForce.length + lagging.length, "node")} after ${seconds.toFixed(1)} s: requests are refused, on open connections too`;
  if (lagging.length === 0) return [inTime];
  const late = lagging.map((node) => printable(node)).join(", ");
  return [inTime, `${paint(io.stdout, "yellow", "not yet")}: ${late}; \`cellwall status\` shows how far each node is`];
}

function openLines({ lagging, open, severedAfter }: RevocationOutcome, sever: boolean, io: Io): readonly string[] {
  if (open.length === 0) {
    if (sever && lagging.length > 0) return ["what is open there is not known; it ends once the node is back"];
    if (severedAfter !== undefined)
      return [
        `${paint(io.stdout, "green", "severed")}: nothing of it is open any more, after ${severedAfter.toFixed(1)} s`,
      ];
    return ["nothing of it is open that has lasted five seconds, at sidecars that Cellwall renders"];
  }
  const sum = (of: (one: OpenAtNode) => number): number => open.reduce((total, one) => total + of(one), 0);
  const streams = sum((one) => one.streams);
  const connections = sum((one) => one.connections);
  const last =
    open
      .map(({ until }) => until)
      .sort()
      .at(-1) ?? "";
  return [
    `${paint(io.stdout, "yellow", "still open")}: ${count(streams, "stream")} and ${count(connections, "TCP connection")}, which end by ${last} at the latest`,
    ...columns(
      open.map((one) => [
        printable(one.node),
        printable(one.workload),
        `from ${printable(one.caller)}`,
        `${count(one.streams, "stream")}, ${count(one.connections, "TCP connection")}`,
      ]),
    ),
    sever
      ? "these sidecars are not run by `cellwall envoy run`: restart them"
      : "the same command with `--sever` ends them now; other callers of these sidecars connect anew",
  ];
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
