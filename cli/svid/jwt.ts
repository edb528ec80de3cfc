import { printable } from "../../policies/index.ts";
import { SpiffeError, within } from "../../spiffe/index.ts";
import { JwtSource, WorkloadApiClient } from "../../spiffe/workload-api/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { json, lines } from "../screen.ts";
import type { SvidOptions } from "./options.ts";
import { sourceOptions } from "./x509.ts";

/** Prints a token for these audiences, and nothing else, so that it can be passed on. */
export async function showJwt(
  options: SvidOptions & { readonly audience: readonly string[] },
  io: Io,
): Promise<ExitCode> {
  const { timeoutMs, ...how } = sourceOptions(options, io);
  const { audience, expiresAt, id, token } = await within(io.signal, timeoutMs, async (signal) => {
    const source = await JwtSource.open({ ...how, signal, now: io.clock });
    return source.fetch({ audience: options.audience, signal }).finally(() => source.close());
  });
  if (options.output === "json") json(io.stdout, { id: `${id}`, audience, expiresAt, token });
  else lines(io.stdout, token);
  return EXIT.ok;
}

/** Has the token on standard input verified, and prints whom it proves; findings where it does not. */
export async function validateJwt(options: SvidOptions & { readonly audience: string }, io: Io): Promise<ExitCode> {
  const { timeoutMs, ...how } = sourceOptions(options, io);
  const client = new WorkloadApiClient(how);
  try {
    const token = (await io.stdin()).trim();
    const asked = (signal: AbortSignal) => client.validateJwtSvid(token, { audience: options.audience, signal });
    const { claims, id } = await within(io.signal, timeoutMs, asked);
    if (options.output === "json") json(io.stdout, { id: `${id}`, claims: Object.fromEntries(claims) });
    else
      lines(
        io.stdout,
        `${id}`,
        ...[...claims].map(([name, value]) => `  ${printable(name)}  ${printable(JSON.stringify(value))}`),
      );
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof SpiffeError) || error.code !== "ERR_SPIFFE_WORKLOAD_API") throw error;
    throw new CliError("ERR_CLI_REFUSED", `the token proves nothing: ${printable(error.message)}`, { cause: error });
  } finally {
    client.close();
  }
}
