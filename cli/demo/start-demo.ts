import type { MeshName } from "../../compose/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import type { Output } from "../io.ts";
import type { LocalMesh } from "../local-mesh/index.ts";
import type { Row } from "./report.ts";
import { federatedChapters, localChapters, playScenario } from "./scenario.ts";
import { startFederated } from "./start-federated.ts";
import { type StageOptions, startStage } from "./start-stage.ts";
import type { Stage } from "./step.ts";

/** A demo mesh that runs as local processes. */
export interface RunningDemo {
  readonly stage: Stage;
  /** The mesh of each of its trust domains. */
  readonly meshes: readonly LocalMesh[];
  /** Plays its scenario and prints each step as it happens; stops early at an abort. */
  play(output: Output, signal: AbortSignal): Promise<readonly Row[]>;
  /** Calls the listener for each record from now on; returns how to stop that. */
  follow(listener: (record: LogRecord) => void): () => void;
}

/** Starts a demo mesh as local processes. */
export async function startDemo(mesh: MeshName, options: StageOptions): Promise<RunningDemo> {
  if (mesh === "federated") {
    const { stage, meshes } = await startFederated(options);
    return running(stage, meshes, (output, signal) => playScenario(federatedChapters.local, stage, output, signal));
  }
  const stage = await startStage(mesh, options);
  return running(stage, [stage.mesh], (output, signal) => playScenario(localChapters[mesh], stage, output, signal));
}

function running(stage: Stage, meshes: readonly LocalMesh[], play: RunningDemo["play"]): RunningDemo {
  return {
    stage,
    meshes,
    play,
    follow(listener) {
      const stops = meshes.map(({ records }) => records.follow(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
