import type { Command } from "commander";
import { type AuthorityOptions, withAuthority } from "../authority-options.ts";
import { type CommandContext, examples, type Register, withOutput } from "../command.ts";
import type { FederationOptions } from "../federation/federation-status.ts";

/** `cellwall federation …`. */
export const registerFederation: Register = (program, context) => {
  const federation = program
    .command("federation")
    .description("other trust domains: what is known of them, and the own bundle for them to begin with");
  registerStatus(federation, context);
  registerBundle(federation, context);
  registerRefresh(federation, context);
};

function registerStatus(federation: Command, { io, action }: CommandContext): void {
  const command = federation
    .command("status")
    .description("federated trust domains, how fresh their bundles are, and the own endpoints");
  examples(withOutput(withAuthority(command)), "federation status").action(
    action(async (options: FederationOptions) => {
      const { federationStatusOf } = await import("../federation/federation-status.ts");
      return federationStatusOf(options, io);
    }),
  );
}

function registerBundle(federation: Command, { io, action }: CommandContext): void {
  const command = federation
    .command("bundle")
    .description("print the own trust bundle as a SPIFFE bundle document, for another trust domain to begin with");
  examples(withAuthority(command), "federation bundle > shop.example.json").action(
    action(async (options: AuthorityOptions) => {
      const { ownBundle } = await import("../federation/federation-status.ts");
      return ownBundle(options, io);
    }),
  );
}

function registerRefresh(federation: Command, { io, action }: CommandContext): void {
  const command = federation
    .command("refresh")
    .description("fetch the bundle of a federated trust domain now, or of all")
    .argument("[trust-domain]", "its name");
  examples(withOutput(withAuthority(command)), "federation refresh partner.example").action(
    action(async (trustDomain: string | undefined, options: FederationOptions) => {
      const { refreshFederation } = await import("../federation/federation-status.ts");
      return refreshFederation(trustDomain, options, io);
    }),
  );
}
