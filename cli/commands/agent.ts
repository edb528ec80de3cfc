import type { AgentRunOptions } from "../agent/run-agent.ts";
import { examples, type Register, withLogFormat, withState } from "../command.ts";

/** `cellwall agent`. */
export const registerAgent: Register = (program, { io, action }) => {
  const command = program
    .command("agent")
    .description("run the agent of one host: it decides for the sidecars and gives them their identities")
    .requiredOption("--authority <url>", "address of the authority, https://host:port")
    .option(
      "--join-token-file <file>",
      "file with the join token, `-` for standard input; else CELLWALL_JOIN_TOKEN. Needed once",
    )
    .option(
      "--attest-token-file <file>",
      "file with an OIDC or Kubernetes token in place of a join token; read at each try, so that it may be replaced",
    )
    .option(
      "--authority-root <sha256>",
      "with --attest-token-file: the root's fingerprint, as `cellwall status` shows it",
    )
    .option(
      "--node <name>",
      "with --attest-token-file: the node that this host means to be, where its token fits several",
    )
    .option("--run-dir <dir>", "folder of the sockets; its path must be short (default: run/ in the state folder)")
    .option("--metrics <host:port>", "where to serve metrics, probes and status", "127.0.0.1:9464")
    .option(
      "--listen <address>",
      "tcp://host:port where sidecars that reach no socket ask over mTLS (default: nowhere)",
    )
    .option("--max-stale <seconds>", "how long an expired bundle still decides (default: 3600)")
    .option("--decisions", "print each decision as it falls");
  examples(
    withLogFormat(withState(command)),
    "agent --authority https://10.0.0.1:7443 --join-token-file token",
    "agent --authority https://10.0.0.1:7443 --attest-token-file /var/run/secrets/cellwall/token --authority-root 9f86…",
    "agent --authority https://10.0.0.1:7443 --state /var/lib/cellwall --run-dir /run/cellwall",
    "agent --authority https://10.0.0.1:7443 --listen tcp://0.0.0.0:9191",
  ).action(
    action(async (options: AgentRunOptions) => {
      const { runAgent } = await import("../agent/run-agent.ts");
      return runAgent(options, io);
    }),
  );
};
