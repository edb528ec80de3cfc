import { acknowledgement, type FederationStatus, federationStatus } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { json, lines, paint } from "../screen.ts";
import { federationAttention, federationLines } from "../status/federation-lines.ts";

/** Options of every `cellwall federation …` command. */
export interface FederationOptions extends AuthorityOptions, OutputOptions {}

/** Prints what is known of federated trust domains; findings where something needs attention. */
export async function federationStatusOf(options: FederationOptions, io: Io): Promise<ExitCode> {
  return print(await read(options, io), options, io);
}

/** Prints the own SPIFFE bundle document. */
export async function ownBundle(options: AuthorityOptions, io: Io): Promise<ExitCode> {
  const { bundle } = await read(options, io);
  lines(io.stdout, bundle);
  return EXIT.ok;
}

/** Has bundles fetched now, and prints what came of it. */
export async function refreshFederation(
  trustDomain: string | undefined,
  options: FederationOptions,
  io: Io,
): Promise<ExitCode> {
  const body = trustDomain === undefined ? {} : { trustDomain };
  const access = authorityAccess(options, io);
  await ask(access, { method: "POST", path: "/v1/federation/refresh", body, answer: acknowledgement });
  const status = await read(options, io);
  const asked = (status.federation ?? []).filter((one) => trustDomain === undefined || one.trustDomain === trustDomain);
  const shown = print(status, options, io);
  return asked.some(({ problem }) => problem !== undefined) ? EXIT.findings : shown;
}

function read(options: AuthorityOptions, io: Io): Promise<FederationStatus> {
  return ask(authorityAccess(options, io), { method: "GET", path: "/v1/federation", answer: federationStatus });
}

function print(status: FederationStatus, options: FederationOptions, io: Io): ExitCode {
  const attention = federationAttention(status, io.clock());
  if (options.output === "json") json(io.stdout, { ...status, attention });
  else {
    const shown = federationLines(status, io);
    const none = [
      `${status.trustDomain} federates with nobody: the Mesh lists trust domains under \`federation\``,
      "`cellwall federation bundle` prints what another trust domain needs to begin with",
    ];
    lines(io.stdout, ...(shown.length === 0 ? none : shown.slice(1)));
    lines(io.stdout, ...attention.map((text) => `${paint(io.stdout, "yellow", "attention:")} ${text}`));
  }
  return attention.length === 0 ? EXIT.ok : EXIT.findings;
}
