import { joinTokenResponse } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { json, lines } from "../screen.ts";
import type { CaOptions } from "./options.ts";

/** Prints a join token alone on standard output, so that it can go into a file or a pipe. */
export async function caToken(node: string, options: CaOptions, io: Io): Promise<ExitCode> {
  const access = authorityAccess(options, io);
  const answer = await ask(access, {
    method: "POST",
    path: "/v1/join-tokens",
    body: { node },
    answer: joinTokenResponse,
  });
  if (options.output === "json") {
    json(io.stdout, answer);
    return EXIT.ok;
  }
  lines(io.stdout, answer.token);
  lines(
    io.stderr,
    `joins node \`${answer.node}\` once, until ${answer.expiresAt}`,
    `there: cellwall agent --authority ${access.url} --join-token-file FILE`,
  );
  return EXIT.ok;
}
