import { Option } from "commander";
import { collect, examples, type Register, withOutput, withState } from "../command.ts";
import type { ImportCommandOptions } from "../interop/import-files.ts";
import { withTrust } from "../trust-options.ts";

/** `cellwall import`. */
export const registerImport: Register = (program, { io, action }) => {
  const command = program
    .command("import")
    .description("write another system's policies in this language, and say what could not be carried over")
    .argument("<format>", "the other system, e.g. istio or kubernetes; a wrong one names them all")
    .argument("<files...>", "its files; `-` is standard input")
    .option(
      "--workloads <dir>",
      "folder of the Mesh and Workloads that exist, or of a bundle; may be repeated",
      collect,
      [],
    )
    .option("--report <file>", "write the report there, as JSON")
    .option("--trust-domain <name>", "own trust domain, where no Mesh says it (default: cluster.local)")
    .option("--namespace <name>", "namespace, where the source has none (default: default)")
    .option("--to <workload>", "workload that an interface description is of, as `namespace/name`")
    .option(
      "--from <caller>",
      "who may use a described interface; may be repeated (default: everyone registered)",
      collect,
      [],
    )
    .option("--federate <name>", "foreign trust domain that callers come from; may be repeated", collect, [])
    .option("--grpc-service <name>", "gRPC service that lines for every path include; may be repeated", collect, [])
    .option("--port <name=number>", "number of a port that the source names; may be repeated", collect, [])
    .option("--audience <name>", "audience of tokens, where the source takes any; may be repeated", collect, [])
    .addOption(
      new Option(
        "--default <action>",
        "what the source does with requests that no rule is about, where it has such a setting: Consul, Cilium",
      ).choices(["allow", "deny"]),
    );
  examples(
    withOutput(withTrust(withState(command))),
    "import istio authz.yaml > policies/imported.yaml",
    "import consul intentions.hcl --default deny",
    "import kubernetes netpol.yaml --workloads policies --report report.json",
    "import aws-security-groups main.tf --output json",
  ).action(
    action(async (format: string, files: readonly string[], options: ImportCommandOptions) => {
      const { importFiles } = await import("../interop/import-files.ts");
      return importFiles(format, files, options, io);
    }),
  );
};
