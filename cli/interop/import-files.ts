import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { printable, type Workload } from "../../policies/index.ts";
import {
  type ImportOptions,
  type ImportWorkload,
  importPolicies,
  type SourceText,
} from "../../policies/interop/index.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import { lines } from "../screen.ts";
import type { TrustOptions } from "../trust-options.ts";
import { printResult } from "./print-result.ts";
import { runInterop } from "./run-interop.ts";

/** Options of `cellwall import`. */
export interface ImportCommandOptions extends OutputOptions, TrustOptions {
  readonly workloads: readonly string[];
  readonly report?: string;
  readonly trustDomain?: string;
  readonly namespace?: string;
  readonly to?: string;
  readonly from: readonly string[];
  readonly federate: readonly string[];
  readonly grpcService: readonly string[];
  readonly audience: readonly string[];
  readonly port: readonly string[];
  readonly default?: "allow" | "deny";
}

/** Imports files of a format; ends with 0 whatever the report says, since it is there to be read. */
export async function importFiles(
  format: string,
  files: readonly string[],
  options: ImportCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const texts = await Promise.all(files.map((file) => readSource(file, io)));
  const given = await importOptions(options, io);
  const result = runInterop(() => importPolicies(format, texts, given));
  printResult("documents", result.documents, result.report, options, io);
  const asks = result.report.entries.some(
    ({ fidelity, reason }) => fidelity !== "exact" && /\bregistry\b/.test(reason),
  );
  const named = result.report.entries.some(({ reason }) => /\bwhich number\b/.test(reason));
  if (options.workloads.length === 0 && options.output === "text" && asks)
    lines(
      io.stderr,
      ` hint: the registry is what Mesh and Workloads say; name their folder with \`--workloads DIR\`${named ? "; `--port NAME=NUMBER` says the number of a port" : ""}`,
    );
  return EXIT.ok;
}

async function readSource(path: string, io: Io): Promise<SourceText> {
  if (path === "-") return { path: "<stdin>", text: await io.stdin() };
  try {
    return { path, text: readFileSync(resolve(io.cwd, path), "utf8") };
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${path}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}

async function importOptions(options: ImportCommandOptions, io: Io): Promise<ImportOptions> {
  const { trustDomain, namespace, federate, grpcService, workloads, to, from, audience, port } = options;
  const given: ImportOptions = {
    ...(trustDomain === undefined ? {} : { trustDomain }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(to === undefined ? {} : { callee: to }),
    ...(from.length === 0 ? {} : { callers: from }),
    ...(audience.length === 0 ? {} : { audiences: audience }),
    ...(port.length === 0 ? {} : { portNames: Object.fromEntries(port.map(portOf)) }),
    ...(options.default === undefined ? {} : { defaultAction: options.default }),
    federation: federate,
    grpcServices: grpcService,
  };
  if (workloads.length === 0) return given;
  const { mesh, workloads: registered } = await readPolicySet(workloads, options, io);
  return {
    ...given,
    trustDomain: mesh.trustDomain,
    federation: mesh.federated,
    jwtProviders: [...mesh.jwtProviders].map(([name, provider]) => ({ name, ...provider })),
    workloads: registered.map(importWorkload),
    registry: "exists",
  };
}

function portOf(text: string): readonly [string, number] {
  const [, name, number] = /^([a-zA-Z0-9-]{1,63})=(\d{1,5})$/.exec(text) ?? [];
  if (name !== undefined && number !== undefined && Number(number) > 0 && Number(number) < 65_536)
    return [name, Number(number)];
  throw new CliError("ERR_CLI_USAGE", `\`${printable(text, 80)}\` is no port's name and number`, {
    hint: "write `--port http=8080`",
  });
}

function importWorkload({ namespace, name, labels, identity, sidecar }: Workload): ImportWorkload {
  const listens = sidecar?.listens ?? [];
  return {
    namespace,
    name,
    labels: Object.fromEntries(labels),
    identity: identity.toString(),
    ...(sidecar === undefined ? {} : { ports: listens.map(({ port }) => port) }),
    websocket: listens.some(({ upgrades }) => upgrades.includes("websocket")),
  };
}
