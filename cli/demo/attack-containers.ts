import { EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines, paint } from "../screen.ts";
import { type AttachOptions, attachStage } from "./attach-stage.ts";
import { printTable } from "./report.ts";
import { containerChapters, playScenario } from "./scenario.ts";

/** Plays the scenario against a mesh that runs in containers; `findings` where a step went otherwise than it should. */
export async function attackContainers(options: AttachOptions, io: Io): Promise<ExitCode> {
  const stage = await attachStage(options);
  try {
    lines(
      io.stdout,
      paint(io.stdout, "bold", `Attack on the ${options.mesh}, in containers`),
      `  ${stage.apps.size} workloads, each with a user id, a network namespace and files of its own`,
    );
    const rows = await playScenario(containerChapters[options.mesh], stage, io.stdout, io.signal);
    if (io.signal.aborted) return EXIT.ok;
    printTable(io.stdout, rows);
    return rows.some((row) => row.finding.outcome !== "as-expected") ? EXIT.findings : EXIT.ok;
  } finally {
    await stage.close();
  }
}
