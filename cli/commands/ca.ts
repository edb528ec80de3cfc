import type { Command } from "commander";
import { type AuthorityOptions, withAuthority } from "../admin-client.ts";
import { type CommandContext, examples, type OutputOptions, type Register, withOutput } from "../command.ts";

/** Options of every `cellwall ca …` command. */
export interface CaOptions extends AuthorityOptions, OutputOptions {}

/** Options of `cellwall ca status`. */
export interface CaStatusOptions extends CaOptions {
  readonly limit: string;
}

/** Options of `cellwall ca revoke`. */
export interface RevokeOptions extends CaOptions {
  readonly identity?: string;
  readonly serial?: string;
  readonly node?: string;
  readonly reason: string;
}

/** `cellwall ca status|revoke|token`. */
export const registerCa: Register = (program, context) => {
  const ca = program.command("ca").description("the certificate authority: what it issued, revocation, joining nodes");
  registerStatus(ca, context);
  registerRevoke(ca, context);
  registerToken(ca, context);
};

function registerStatus(ca: Command, { io, action }: CommandContext): void {
  const command = ca
    .command("status")
    .description("signing certificates, and what was issued and refused last")
    .option("--limit <number>", "how many entries of the ledger", "10");
  examples(withOutput(withAuthority(command)), "ca status", "ca status --limit 50 --output json").action(
    action(async (options: CaStatusOptions) => {
      const { caStatus } = await import("../ca/ca-status.ts");
      return caStatus(options, io);
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
    .requiredOption("--reason <text>", "why; goes into the audit trail");
  examples(
    withOutput(withAuthority(command)),
    'ca revoke --identity spiffe://shop.example/shop/intruder --reason "taken over"',
    'ca revoke --serial 3f9a… --reason "key leaked"',
  ).action(
    action(async (options: RevokeOptions) => {
      const { caRevoke } = await import("../ca/ca-revoke.ts");
      return caRevoke(options, io);
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
