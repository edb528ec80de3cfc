import { type Command, Option } from "commander";
import { type CommandContext, collect, examples, type Register, withOutput } from "../command.ts";
import type { SvidOptions } from "../svid/options.ts";

/** `cellwall svid …`: what a program would get of the Workload API. */
export const registerSvid: Register = (program, context) => {
  const svid = program
    .command("svid")
    .description("ask a SPIFFE Workload API what a program would get of it: certificate, tokens, trust");
  registerX509(svid, context);
  registerJwt(svid, context);
  registerValidate(svid, context);
};

function withWorkloadApi(command: Command): Command {
  const address = new Option("--address <address>", "where it is: unix:///path or tcp://ip:port").env(
    "SPIFFE_ENDPOINT_SOCKET",
  );
  const timeout = new Option("--timeout <seconds>", "how long to wait for an identity").default(10).argParser(Number);
  return withOutput(command.addOption(address).addOption(timeout));
}

function registerX509(svid: Command, { io, action }: CommandContext): void {
  const command = svid
    .command("x509")
    .description("the X.509 identity, and which trust domains are trusted")
    .option("--write <folder>", "write svid.pem, key.pem and bundle.pem there, the key for its owner only");
  examples(withWorkloadApi(command), "svid x509", "svid x509 --write /run/app/tls").action(
    action(async (options: SvidOptions & { readonly write?: string }) => {
      const { showX509 } = await import("../svid/x509.ts");
      return showX509(options, io);
    }),
  );
}

function registerJwt(svid: Command, { io, action }: CommandContext): void {
  const command = svid
    .command("jwt")
    .description("a token that proves the identity to an audience")
    .requiredOption("--audience <name>", "who is to take it; may be given several times", collect, []);
  examples(withWorkloadApi(command), "svid jwt --audience orders").action(
    action(async (options: SvidOptions & { readonly audience: readonly string[] }) => {
      const { showJwt } = await import("../svid/jwt.ts");
      return showJwt(options, io);
    }),
  );
}

function registerValidate(svid: Command, { io, action }: CommandContext): void {
  const command = svid
    .command("validate")
    .description("have the Workload API verify a token, read from standard input")
    .requiredOption("--audience <name>", "who takes it");
  examples(withWorkloadApi(command), "svid validate --audience orders < token").action(
    action(async (options: SvidOptions & { readonly audience: string }) => {
      const { validateJwt } = await import("../svid/jwt.ts");
      return validateJwt(options, io);
    }),
  );
}
