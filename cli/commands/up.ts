import { examples, type Register, withState } from "../command.ts";
import { keepHeapSmall } from "../heap.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import type { UpOptions } from "../up/up.ts";
import { withPassphrase } from "./ca-keys.ts";

/** `cellwall up`. */
export const registerUp: Register = (program, { io, action }) => {
  const command = program
    .command("up")
    .description("run the authority and an agent in one process, and publish each edit of the policy folders")
    .argument("[dirs...]", "folders of policies, in order", [DEFAULT_POLICY_FOLDER])
    .option("--port <port>", "loopback port of the authority (default: 7443, or a free one)")
    .option("--run-dir <dir>", "folder of the sockets; its path must be short (default: run/ in the state folder)")
    .option("--metrics <host:port>", "where the agent serves metrics, probes and its status, e.g. 127.0.0.1:9464")
    .option("--max-stale <seconds>", "how long an expired bundle still decides (default: 3600)")
    .option(
      "--svid-lifetime <seconds>",
      "life of workloads' certificates, from which the other lifetimes follow; default 3600",
    )
    .option("--crl", "sign revocation lists (CRLs) too: sidecars then refuse what is revoked in the handshake")
    .option("--decisions", "print each decision as it falls")
    .option("--verbose", "print what authority and agent have to say");
  examples(
    withPassphrase(withState(command)),
    "up",
    "up policies/ envs/dev/ --decisions",
    "up --metrics 127.0.0.1:9464",
  ).action(
    action(async (folders: readonly string[], options: UpOptions) => {
      keepHeapSmall();
      const { up } = await import("../up/up.ts");
      return up(folders, options, io);
    }),
  );
};
