import type { Command } from "commander";
import { withAuthority } from "../authority-options.ts";
import type { ExportOptions } from "../ca/ca-export.ts";
import type { ImportOptions } from "../ca/ca-import.ts";
import type { InitOptions } from "../ca/ca-init.ts";
import type { RecoverOptions } from "../ca/ca-recover.ts";
import type { RequestOptions } from "../ca/ca-request.ts";
import type { RootOptions } from "../ca/ca-root.ts";
import type { SignOptions } from "../ca/ca-sign.ts";
import { type CommandContext, examples, withOutput, withState } from "../command.ts";

/** `cellwall ca …` about keys and certificates that people bring or take. */
export function registerCaKeys(ca: Command, context: CommandContext): void {
  registerInit(ca, context);
  registerRequest(ca, context);
  registerImport(ca, context);
  registerRoot(ca, context);
  registerSign(ca, context);
  registerRecover(ca, context);
  registerExport(ca, context);
}

/** `--key-passphrase-file`, else `CELLWALL_KEY_PASSPHRASE`. */
export function withPassphrase(command: Command): Command {
  return command.option(
    "--key-passphrase-file <file>",
    "file with the passphrase of the private keys on disk; default: CELLWALL_KEY_PASSPHRASE, else they are not encrypted",
  );
}

function registerInit(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("init")
    .description("found the authority in a state folder, on a root or an intermediate of yours; before its first start")
    .requiredOption("--trust-domain <name>", "trust domain of the mesh")
    .option("--root-cert <file>", "root certificate, PEM")
    .option("--root-key <file>", "its key, where the root is to sign here")
    .option("--intermediate <file>", "intermediate that the root has signed, and what is between them, PEM")
    .option("--intermediate-key <file>", "its key; without it that of `ca request`");
  examples(
    withPassphrase(withState(command)),
    "ca init --trust-domain shop.example --root-cert root.pem --intermediate intermediate.pem --intermediate-key intermediate.key",
  ).action(
    action(async (options: InitOptions) => {
      const { caInit } = await import("../ca/ca-init.ts");
      return caInit(options, io);
    }),
  );
}

function registerRequest(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("request")
    .description("make a key for an intermediate and print a request to have it signed elsewhere")
    .option("--trust-domain <name>", "trust domain, before the first start");
  examples(withPassphrase(withAuthority(command)), "ca request > intermediate.csr").action(
    action(async (options: RequestOptions) => {
      const { caRequest } = await import("../ca/ca-request.ts");
      return caRequest(options, io);
    }),
  );
}

function registerImport(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("import")
    .description("take a signed intermediate into the running authority; it signs once every live sidecar is ready")
    .argument("<chain>", "PEM file: the intermediate, then what is between it and the root")
    .requiredOption("--root-cert <file>", "root certificate, PEM")
    .option("--reason <text>", "goes into the audit trail", "");
  examples(withOutput(withAuthority(command)), "ca import intermediate.pem --root-cert root.pem").action(
    action(async (chain: string, options: ImportOptions) => {
      const { caImport } = await import("../ca/ca-import.ts");
      return caImport(chain, options, io);
    }),
  );
}

function registerRoot(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("root")
    .description("make a root on a machine without a network: root.pem, and root.key under a passphrase")
    .requiredOption("--trust-domain <name>", "trust domain of the mesh")
    .option("--out <dir>", "folder of the two files", ".")
    .option("--days <number>", "how long it holds", "3650");
  examples(
    withPassphrase(command),
    "ca root --trust-domain shop.example --out /media/safe --key-passphrase-file pass",
  ).action(
    action(async (options: RootOptions) => {
      const { caRoot } = await import("../ca/ca-root.ts");
      return caRoot(options, io);
    }),
  );
}

function registerSign(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("sign")
    .description("sign an intermediate's request with a root, and print the certificate")
    .argument("<request>", "PEM file by `ca request`")
    .requiredOption("--trust-domain <name>", "trust domain that the request must be of")
    .requiredOption("--root-cert <file>", "root certificate, PEM")
    .requiredOption("--root-key <file>", "its key, PEM")
    .option("--days <number>", "how long it holds", "365");
  examples(
    withPassphrase(command),
    "ca sign intermediate.csr --trust-domain shop.example --root-cert root.pem --root-key root.key > intermediate.pem",
  ).action(
    action(async (request: string, options: SignOptions) => {
      const { caSign } = await import("../ca/ca-sign.ts");
      return caSign(request, options, io);
    }),
  );
}

function registerRecover(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("recover")
    .description("go on from a database that was restored from a backup: a new epoch, nothing un-revoked")
    .option("--yes", "do it; without this it only says what is lost");
  examples(withPassphrase(withOutput(withState(command))), "ca recover", "ca recover --yes").action(
    action(async (options: RecoverOptions) => {
      const { caRecover } = await import("../ca/ca-recover.ts");
      return caRecover(options, io);
    }),
  );
}

function registerExport(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("export")
    .description("write a workload's certificate and key, or the anchors alone, as PKCS#12 for OpenSSL and Java")
    .argument("[workload]", "<namespace>/<name> that the agent on this state folder serves; without it the anchors")
    .requiredOption("--out <file>", "file to write, mode 0600")
    .requiredOption("--passphrase-file <file>", "file with the passphrase, 12 characters at least");
  examples(
    withState(command),
    "ca export shop/orders --out orders.p12 --passphrase-file pass",
    "ca export --out truststore.p12 --passphrase-file pass",
  ).action(
    action(async (workload: string | undefined, options: ExportOptions) => {
      const { caExport } = await import("../ca/ca-export.ts");
      return caExport(workload, options, io);
    }),
  );
}
