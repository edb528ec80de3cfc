import { authorityStatus } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { json, lines } from "../screen.ts";
import { attentionOf } from "./attention.ts";
import { isolationOf } from "./isolation.ts";
import { statusLines } from "./status-lines.ts";

/** Options of `cellwall status`. */
export interface StatusOptions extends AuthorityOptions, OutputOptions {}

/** Prints the authority's status; findings where something needs attention. */
export async function status(options: StatusOptions, io: Io): Promise<ExitCode> {
  const answer = await ask(authorityAccess(options, io), {
    method: "GET",
    path: "/v1/status",
    answer: authorityStatus,
  });
  const attention = attentionOf(answer, io.clock());
  if (options.output === "json")
    json(io.stdout, { ...answer, isolation: isolationOf(answer.workloads ?? []), attention });
  else lines(io.stdout, ...statusLines(answer, attention, io));
  return attention.length === 0 ? EXIT.ok : EXIT.findings;
}
