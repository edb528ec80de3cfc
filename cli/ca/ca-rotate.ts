import { setTimeout as sleep } from "node:timers/promises";
import { type CaStatus, caStatus, type RotateRequest } from "../../protocol/index.ts";
import { type AuthorityAccess, ask, authorityAccess } from "../admin-client.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { readSeconds } from "../read-options.ts";
import { json, lines, paint } from "../screen.ts";
import type { CaOptions } from "./options.ts";
import { laggardLines } from "./rotation-lines.ts";

/** Options of `cellwall ca rotate`. */
export interface RotateOptions extends CaOptions {
  readonly root?: boolean;
  readonly intermediate?: boolean;
  readonly jwt?: boolean;
  readonly compromised?: boolean;
  readonly force?: boolean;
  readonly deadline: string;
  readonly reason: string;
  readonly wait: boolean;
}

const POLL_MS = 200;

/** Begins a replacement and watches it until the new one signs, and a compromised one is believed no more. */
export async function caRotate(options: RotateOptions, io: Io): Promise<ExitCode> {
  const request = requestOf(options);
  const access = authorityAccess(options, io);
  const startedMs = io.clock().getTime();
  const question = { method: "POST", path: "/v1/ca/rotations", body: request, answer: caStatus } as const;
  const begun = await ask(access, question);
  const ended = options.wait ? await watch(access, request, begun, io) : begun;
  if (options.output === "json") json(io.stdout, ended);
  else lines(io.stdout, ...endLines(ended, request, (io.clock().getTime() - startedMs) / 1000, io));
  return EXIT.ok;
}

function requestOf(options: RotateOptions): RotateRequest & { readonly what: RotateRequest["what"] } {
  const named = (["root", "intermediate", "jwt"] as const).filter((what) => options[what] === true);
  const [what = "intermediate", ...others] = named;
  if (others.length > 0)
    throw new CliError("ERR_CLI_USAGE", "name one of `--root`, `--intermediate` and `--jwt`", {
      hint: "a root brings an intermediate of its own",
    });
  const { compromised = false, force = false, reason } = options;
  return { what, compromised, force, reason, deadlineSeconds: readSeconds(options.deadline) };
}

/** Tells each new phase once, and who holds it up, until it is over. */
async function watch(
  access: AuthorityAccess,
  { what }: Pick<RotateRequest, "what">,
  begun: CaStatus,
  io: Io,
): Promise<CaStatus> {
  let told = "";
  for (let status = begun; ; status = await ask(access, { method: "GET", path: "/v1/ca/status", answer: caStatus })) {
    const open = status.rotations.find((one) => one.what === what && one.phase !== "outlasting");
    if (open === undefined) return status;
    const key = JSON.stringify([open.phase, open.laggards]);
    if (key !== told) lines(io.stderr, ...laggardLines(open, status.now));
    told = key;
    await sleep(POLL_MS, undefined, { signal: io.signal }).catch(() => undefined);
    if (io.signal.aborted) return status;
  }
}

function endLines(status: CaStatus, request: RotateRequest, seconds: number, io: Io): readonly string[] {
  const { what } = request;
  const inUse = status.authorities.find((one) => one.role === what && one.state === "active");
  const open = status.rotations.some((one) => one.what === what && one.phase !== "outlasting");
  if (open) return [`${what}: begun, and goes on by itself; \`cellwall ca status\` shows how far it is`];
  const old = status.authorities.filter((one) => one.role === what && one.state === "retired");
  const believed = old.flatMap(({ removeAt }) => removeAt ?? []).sort();
  return [
    `${paint(io.stdout, "green", "replaced")}: ${what} ${inUse?.serial ?? ""} signs, after ${seconds.toFixed(1)} s`,
    request.compromised === true || believed.length === 0
      ? `the old one is believed no more`
      : `the old one is believed until ${believed.at(-1)}, when the last of its certificates is over`,
  ];
}
