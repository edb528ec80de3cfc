import type { Output } from "../io.ts";
import { aroundTheSidecar } from "./chapters/around-the-sidecar.ts";
import { honestCalls } from "./chapters/honest-calls.ts";
import { lateralMovement } from "./chapters/lateral-movement.ts";
import { forgedIdentities, pathTricks } from "./chapters/straight-at-the-peer.ts";
import { whileItRuns } from "./chapters/while-it-runs.ts";
import { foreign, impostor, twoIdentities } from "./forged-identities.ts";
import { printHeading, printRow, type Row } from "./report.ts";
import type { Chapter, Finding, Stage, Step } from "./step.ts";

/** The whole scenario, in the order in which it is played. */
export const chapters: readonly Chapter[] = [
  honestCalls,
  lateralMovement,
  pathTricks,
  forgedIdentities({ foreign, impostor, twoIdentities }),
  aroundTheSidecar,
  whileItRuns,
];

/** Plays every step and prints each as it happens; a step that throws is a row that went otherwise. Stops early at an abort. */
export async function playScenario(stage: Stage, output: Output, signal: AbortSignal): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const chapter of chapters) {
    printHeading(output, chapter.title);
    for (const step of chapter.steps) {
      if (signal.aborted) return rows;
      const row = { chapter: chapter.title, step, finding: await play(step, stage) };
      printRow(output, row);
      rows.push(row);
    }
  }
  return rows;
}

async function play(step: Step, stage: Stage): Promise<Finding> {
  try {
    return await step.play(stage);
  } catch (error) {
    return {
      outcome: "unexpected",
      happened: "the step failed",
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}
