import { collect, examples, type Register, withLogFormat, withState } from "../command.ts";
import type { AuthorityRunOptions } from "../up/run-authority.ts";

import { withPassphrase } from "./ca-keys.ts";

/** `cellwall authority`. */
export const registerAuthority: Register = (program, { io, action }) => {
  const command = program
    .command("authority")
    .description("run the authority: identities, the signed policy bundle, revocation; agents connect to it")
    .option("--listen <host:port>", "address for agents; administration stays on loopback", "127.0.0.1:7443")
    .option("--trust-domain <name>", "trust domain of the mesh; needed at the first start, or named by --policies")
    .option("--name <host>", "DNS name or IP address that agents reach it by; may be repeated", collect, [])
    .option("--policies <dir>", "publish this folder at the start; may be repeated", collect, [])
    .option(
      "--svid-lifetime <seconds>",
      "life of workloads' certificates, from which the other lifetimes follow; default 3600",
    )
    .option("--crl", "sign revocation lists (CRLs) too: sidecars then refuse what is revoked in the handshake");
  examples(
    withPassphrase(withLogFormat(withState(command))),
    "authority --trust-domain shop.example",
    "authority --listen 0.0.0.0:7443 --name authority.shop.internal --policies policies/",
  ).action(
    action(async (options: AuthorityRunOptions) => {
      const { runAuthority } = await import("../up/run-authority.ts");
      return runAuthority(options, io);
    }),
  );
};
