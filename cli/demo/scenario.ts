import type { MeshName } from "../../compose/index.ts";
import type { Output } from "../io.ts";
import { federatedCalls, forgedAcross, lateralAcross } from "./chapters/across-the-border.ts";
import { aroundTheContainer } from "./chapters/around-the-container.ts";
import { aroundTheSidecar } from "./chapters/around-the-sidecar.ts";
import { otherMethods, takenOver, visits } from "./chapters/boutique.ts";
import { endOfFederation } from "./chapters/end-of-federation.ts";
import { honestCalls } from "./chapters/honest-calls.ts";
import { lateralMovement } from "./chapters/lateral-movement.ts";
import { forgedIdentities, pathTricks } from "./chapters/straight-at-the-peer.ts";
import { whileItRuns } from "./chapters/while-it-runs.ts";
import { foreign, impostor, twoIdentities } from "./forged-identities.ts";
import { actorColumns, printHeading, printRow, type Row } from "./report.ts";
import type { Chapter, FederatedStage, Finding, LocalStage, Stage, Step } from "./step.ts";

/** The whole scenario of the shop as local processes, in the order in which it is played. */
export const chapters: readonly Chapter<LocalStage>[] = [
  honestCalls,
  lateralMovement,
  pathTricks,
  forgedIdentities({ foreign, impostor, twoIdentities }),
  aroundTheSidecar,
  whileItRuns,
];

/** The scenario of each mesh in containers: each workload has a user id, a network namespace and files of its own. */
export const containerChapters: Readonly<Record<Exclude<MeshName, "federated">, readonly Chapter[]>> = {
  shop: [
    honestCalls,
    lateralMovement,
    pathTricks,
    forgedIdentities({ foreign, impostor }),
    aroundTheContainer("intruder", [
      { workload: "orders", ports: [8443] },
      { workload: "db", ports: [5432] },
    ]),
  ],
  boutique: [
    visits,
    otherMethods,
    takenOver,
    aroundTheContainer("adservice", [
      { workload: "frontend", ports: [8080, 8443] },
      { workload: "redis-cart", ports: [6379] },
    ]),
  ],
};

/** The scenario of each mesh of one trust domain as local processes. */
export const localChapters: Readonly<Record<Exclude<MeshName, "federated">, readonly Chapter<LocalStage>[]>> = {
  shop: chapters,
  boutique: [visits, otherMethods, takenOver],
};

const acrossTheBorder: readonly Chapter<FederatedStage>[] = [federatedCalls, lateralAcross, forgedAcross];

/** The scenario of the two federated meshes. */
export const federatedChapters: Readonly<Record<"local" | "containers", readonly Chapter<FederatedStage>[]>> = {
  local: [...acrossTheBorder, endOfFederation],
  containers: [
    ...acrossTheBorder,
    aroundTheContainer(
      "helpdesk",
      [
        { workload: "gateway", ports: [8443] },
        { workload: "ledger", ports: [8443] },
      ],
      ["store-authority", "pay-authority"],
    ),
    endOfFederation,
  ],
};

/** Plays every step and prints each as it happens; a step that throws is a row that went otherwise. Stops early at an abort. */
export async function playScenario<In extends Stage>(
  scenario: readonly Chapter<In>[],
  stage: In,
  output: Output,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const columns = actorColumns(scenario.flatMap(({ steps }) => steps));
  for (const chapter of scenario) {
    printHeading(output, chapter.title);
    for (const step of chapter.steps) {
      if (signal.aborted) return rows;
      const { actor, title } = step;
      const row = { chapter: chapter.title, actor, title, finding: await play(step, stage) };
      printRow(output, row, columns);
      rows.push(row);
    }
  }
  return rows;
}

async function play<In extends Stage>(step: Step<In>, stage: In): Promise<Finding> {
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
