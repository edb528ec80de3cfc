import { printable } from "../../policies/index.ts";
import { type CaStatus, caStatus as caStatusMessage } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { columns, count, json, lines, paint } from "../screen.ts";
import type { CaOptions } from "./options.ts";
import { laggardLines } from "./rotation-lines.ts";
import { span } from "./span.ts";

/** Prints who signs, what is being replaced and who holds what, on one screen. */
export async function caStatus(options: CaOptions, io: Io): Promise<ExitCode> {
  const access = authorityAccess(options, io);
  const status = await ask(access, { method: "GET", path: "/v1/ca/status", answer: caStatusMessage });
  if (options.output === "json") json(io.stdout, status);
  else lines(io.stdout, ...statusLines(status, io));
  return EXIT.ok;
}

function statusLines(status: CaStatus, io: Io): readonly string[] {
  const { bundle, ledger, trustDomain } = status;
  const bold = (text: string): string => paint(io.stdout, "bold", text);
  return [
    `${bold(`certificate authority of ${trustDomain}`)}  trust bundle ${bundle.sequence} (${bundle.sha256.slice(0, 12)}), ledger of ${count(ledger.entries, "entry", "entries")}, epoch ${ledger.epoch}`,
    "",
    bold("signs"),
    ...columns([
      ["what", "state", "serial", "ends", "next"],
      ...status.authorities.map((one) => authorityRow(one, status)),
    ]),
    ...listLines(status, io),
    ...rotationLines(status, io),
    "",
    bold("holders"),
    ...holderLines(status),
  ];
}

function authorityRow(one: CaStatus["authorities"][number], { now }: CaStatus): readonly string[] {
  const state = one.compromised ? `${one.state}, in other hands` : one.state;
  return [one.role, state, one.serial.slice(0, 12), span(one.notAfter, now), nextOf(one, now)];
}

function nextOf(one: CaStatus["authorities"][number], now: string): string {
  if (one.removeAt !== undefined) return `removed ${span(one.removeAt, now)}`;
  if (one.state === "prepared") return "signs nothing yet";
  if (one.renewAt !== undefined) return `replaced ${span(one.renewAt, now)}`;
  if (one.role === "intermediate" && one.state === "active") return "bring in the next one before it ends";
  if (one.brought === true && one.key === "here") return "you brought it: bring in the next one, or `ca rotate --root`";
  return one.key === "elsewhere" ? "its key is elsewhere: replace it by hand" : "-";
}

function listLines({ now, revocationLists }: CaStatus, io: Io): readonly string[] {
  if (revocationLists === undefined) return [];
  const { lists, problem, until } = revocationLists;
  if (problem !== undefined || until === undefined) {
    return ["", `${paint(io.stdout, "yellow", "no revocation lists")}: ${problem ?? "none was signed yet"}`];
  }
  return ["", `${count(lists, "revocation list")}, signed anew before they end ${span(until, now)}`];
}

function rotationLines(status: CaStatus, io: Io): readonly string[] {
  const under = status.rotations.filter(({ phase }) => phase !== "outlasting");
  if (under.length === 0) return [];
  return ["", paint(io.stdout, "bold", "being replaced"), ...under.flatMap((one) => laggardLines(one, status.now))];
}

function holderLines({ holders, now }: CaStatus): readonly string[] {
  if (holders.length === 0) return ["  nobody holds a certificate in force"];
  const rows = holders.map((one) => [
    printable(one.node),
    one.agentNotAfter === undefined ? "-" : span(one.agentNotAfter, now),
    String(one.workloads),
    one.firstNotAfter === undefined ? "-" : span(one.firstNotAfter, now),
    one.sidecars === undefined ? "no report" : `${one.confirmed ?? 0} of ${one.sidecars}`,
  ]);
  return columns([["node", "agent ends", "workloads", "first ends", "sidecars with this trust bundle"], ...rows]);
}
