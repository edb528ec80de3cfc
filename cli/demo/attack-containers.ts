import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines, paint } from "../screen.ts";
import { attachFederated } from "./attach-federated.ts";
import { type AttachedStage, type AttachOptions, attachStage } from "./attach-stage.ts";
import { printTable, type Row } from "./report.ts";
import { containerChapters, federatedChapters, playScenario } from "./scenario.ts";
import { settled } from "./settled.ts";

/** A mesh in containers; `authorities` is the folder of its authorities' state, which only federated meshes need. */
export interface AttackOptions extends AttachOptions {
  readonly authorities?: string;
}

interface Attack {
  readonly stage: AttachedStage;
  readonly play: () => Promise<readonly Row[]>;
}

/** Plays the scenario against a mesh that runs in containers; `findings` where a step went otherwise than it should. */
export async function attackContainers(options: AttackOptions, io: Io): Promise<ExitCode> {
  const { stage, play } = await attach(options, io);
  try {
    lines(
      io.stdout,
      paint(io.stdout, "bold", `Attack on the ${options.mesh} mesh, in containers`),
      `  ${stage.apps.size} workloads, each with a user id, a network namespace and files of its own`,
    );
    await settled(options.mesh, stage);
    const rows = await play();
    if (io.signal.aborted) return EXIT.ok;
    printTable(io.stdout, rows);
    return rows.some((row) => row.finding.outcome !== "as-expected") ? EXIT.findings : EXIT.ok;
  } finally {
    await stage.close();
  }
}

async function attach({ mesh, authorities, ...options }: AttackOptions, io: Io): Promise<Attack> {
  if (mesh !== "federated") {
    const stage = await attachStage({ mesh, ...options });
    return { stage, play: () => playScenario(containerChapters[mesh], stage, io.stdout, io.signal) };
  }
  if (authorities === undefined)
    throw new CliError("ERR_CLI_USAGE", "`--mesh federated` needs `--authorities`, the folder of their state");
  const stage = await attachFederated({ mesh, authorities, ...options }, io);
  return { stage, play: () => playScenario(federatedChapters.containers, stage, io.stdout, io.signal) };
}
