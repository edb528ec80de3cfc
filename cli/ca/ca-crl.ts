import { revocationListsMessage } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines } from "../screen.ts";

/** Prints the revocation lists of every authority as PEM; `ERR_CLI_STATE` where the authority signs none. */
export async function caCrl(options: AuthorityOptions, io: Io): Promise<ExitCode> {
  const access = authorityAccess(options, io);
  const { lists, until } = await ask(access, { method: "GET", path: "/v1/ca/crl", answer: revocationListsMessage });
  if (until === undefined) {
    throw new CliError("ERR_CLI_STATE", "this authority signs no revocation lists", {
      hint: "start it with `--crl`; its log says where they could not cover the whole chain",
    });
  }
  lines(io.stdout, lists.join("").trimEnd());
  lines(
    io.stderr,
    `${lists.length} lists, good until ${until}; new ones follow at half of that time and with each revocation`,
  );
  return EXIT.ok;
}
