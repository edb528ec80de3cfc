import { type Command, Option } from "commander";
import { type AuthorityOptions, withAuthority } from "../authority-options.ts";
import type { LedgerOptions } from "../ca/ca-ledger.ts";
import type { VerifyOptions } from "../ca/ca-ledger-verify.ts";
import type { RevokeOptions } from "../ca/ca-revoke.ts";
import type { RotateOptions } from "../ca/ca-rotate.ts";
import type { CaOptions } from "../ca/options.ts";
import { type CommandContext, examples, type Register, withOutput } from "../command.ts";
import { registerCaKeys } from "./ca-keys.ts";

/** `cellwall ca …`. */
export const registerCa: Register = (program, context) => {
  const ca = program
    .command("ca")
    .description("the certificate authority: who signs, what it issued, rotation, revocation, joining nodes");
  registerStatus(ca, context);
  registerLedger(ca, context);
  registerRotate(ca, context);
  registerRevoke(ca, context);
  registerCrl(ca, context);
  registerToken(ca, context);
  registerCaKeys(ca, context);
};

function registerStatus(ca: Command, { io, action }: CommandContext): void {
  const command = ca.command("status").description("what expires when, who holds what, and who has not confirmed what");
  examples(withOutput(withAuthority(command)), "ca status", "ca status --output json").action(
    action(async (options: CaOptions) => {
      const { caStatus } = await import("../ca/ca-status.ts");
      return caStatus(options, io);
    }),
  );
}

function registerLedger(ca: Command, { io, action }: CommandContext): void {
  const command = withAuthority(ca.command("ledger"))
    .description("every certificate and token that was issued, and every refusal, newest first")
    .option("--identity <spiffe-id>", "of this identity")
    .option("--node <name>", "for this node")
    .addOption(
      new Option("--kind <kind>", "of this kind").choices([
        "x509-svid",
        "jwt-svid",
        "agent",
        "authority",
        "policy-signer",
        "refusal",
      ]),
    )
    .option("--limit <number>", "how many entries", "20")
    .option("--all", "all of them, oldest first, with their hashes: an export that `ca ledger verify --file` reads")
    .addOption(new Option("--output <form>", "form of the answer").choices(["text", "json", "csv"]).default("text"));
  examples(
    command,
    "ca ledger --identity spiffe://shop.example/shop/orders",
    "ca ledger --node host-7 --kind refusal --output json",
    "ca ledger --all --output json > ledger.jsonl",
  ).action(
    action(async (options: LedgerOptions) => {
      const { caLedger } = await import("../ca/ca-ledger.ts");
      return caLedger(options, io);
    }),
  );
  const verify = command
    .command("verify")
    .description("walk the hash chain: that of the running authority, or of an export")
    .option("--file <file>", "an export by `ca ledger --all --output json`");
  examples(withOutput(withAuthority(verify)), "ca ledger verify", "ca ledger verify --file ledger.jsonl").action(
    action(async (options: VerifyOptions) => {
      const { caLedgerVerify } = await import("../ca/ca-ledger-verify.ts");
      return caLedgerVerify(options, io);
    }),
  );
}

function registerRotate(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("rotate")
    .description("replace what signs, without a dropped request; the intermediate where nothing else is named")
    .option("--root", "the root, and the intermediate below it")
    .option("--intermediate", "the intermediate alone")
    .option("--jwt", "the key of tokens")
    .option("--compromised", "the key may be in other hands: replace everything it signed, then believe it no more")
    .option("--deadline <seconds>", "with --compromised: how long each of the two steps waits for sidecars", "60")
    .option("--force", "do not wait for those who have not confirmed: they will refuse what is signed")
    .option("--reason <text>", "goes into the audit trail", "")
    .option("--no-wait", "begin it, and do not watch it");
  examples(
    withOutput(withAuthority(command)),
    "ca rotate --root",
    'ca rotate --root --compromised --deadline 120 --reason "laptop stolen"',
  ).action(
    action(async (options: RotateOptions) => {
      const { caRotate } = await import("../ca/ca-rotate.ts");
      return caRotate(options, io);
    }),
  );
}

function registerRevoke(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("revoke")
    .description("refuse a certificate, an identity or a node from now on; in force within about a second")
    .option("--identity <spiffe-id>", "every certificate of this identity, those to come included")
    .option("--serial <hex>", "this one certificate")
    .option("--node <name>", "this node's agent, and what it obtained")
    .requiredOption("--reason <text>", "why; goes into the audit trail")
    .option("--sever", "end its open streams and connections too; sidecars then renew those of all callers");
  examples(
    withOutput(withAuthority(command)),
    'ca revoke --identity spiffe://shop.example/shop/intruder --reason "taken over"',
    'ca revoke --identity spiffe://shop.example/shop/intruder --reason "taken over" --sever',
    'ca revoke --serial 3f9a… --reason "key leaked"',
  ).action(
    action(async (options: RevokeOptions) => {
      const { caRevoke } = await import("../ca/ca-revoke.ts");
      return caRevoke(options, io);
    }),
  );
}

function registerCrl(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("crl")
    .description("print the revocation lists (CRLs) of every authority, for other verifiers");
  examples(withAuthority(command), "ca crl > crl.pem").action(
    action(async (options: AuthorityOptions) => {
      const { caCrl } = await import("../ca/ca-crl.ts");
      return caCrl(options, io);
    }),
  );
}

function registerToken(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("token")
    .description("make a token that joins one node: single use, good for some minutes; keep it secret")
    .argument("<node>", "name of the node, as its Node document says");
  examples(
    withOutput(withAuthority(command)),
    "ca token host-7 > token && chmod 600 token",
    "ca token host-7 | ssh host-7 cellwall agent --authority https://10.0.0.1:7443 --join-token-file -",
  ).action(
    action(async (node: string, options: CaOptions) => {
      const { caToken } = await import("../ca/ca-token.ts");
      return caToken(node, options, io);
    }),
  );
}
