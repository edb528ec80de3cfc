import { collect, examples, type Register, withOutput, withState } from "../command.ts";
import type { DoctorOptions } from "../doctor/doctor.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

/** `cellwall doctor`. */
export const registerDoctor: Register = (program, { io, action }) => {
  const command = program
    .command("doctor")
    .description("look for ways around the sidecars of this host, and say what they refuse by themselves")
    .argument("[dirs...]", "folders of policies, in order", [DEFAULT_POLICY_FOLDER])
    .option("--workload <name>", "this workload only; default: all with a sidecar")
    .option("--config <config>", "your own Envoy's configuration: a file, or the admin interface: http://… or unix:/…")
    .option("--envoy <path>", "the Envoy binary; else CELLWALL_ENVOY, PATH or the user's cache")
    .option("--run-dir <dir>", "folder of the agent's sockets (default: run/ in the state folder)")
    .option("--log <file>", "a decision log; may be repeated (default: those of the state folder)", collect, []);
  examples(
    withOutput(withState(command)),
    "doctor",
    "doctor --workload orders --config envoy.yaml",
    "doctor policies/ --workload shop/orders --state /var/lib/cellwall --run-dir /run/cellwall --output json",
  ).action(
    action(async (folders: readonly string[], options: DoctorOptions) => {
      const { doctor } = await import("../doctor/doctor.ts");
      return doctor(folders, options, io);
    }),
  );
};
