import { type MeshName, VISIT } from "../../compose/index.ts";
import { appOf, type Stage } from "./step.ts";
import { until } from "./until.ts";

const DEADLINE_MS = 60_000;

interface Round {
  readonly from: string;
  readonly to: string;
  /** `<method> <path>`, in order. */
  readonly requests: readonly string[];
}

/** One round of what each mesh lives on: it reaches every workload that answers others. */
const ROUNDS: Readonly<Record<MeshName, Round>> = {
  shop: { from: "web", to: "orders", requests: ["GET /orders/42"] },
  boutique: { from: "loadgenerator", to: "frontend", requests: VISIT },
  federated: { from: "checkout", to: "gateway", requests: ["POST /charges"] },
};

/**
 * Waits until a mesh that has just started carries one round of its own traffic: identities, policies and other trust domains' bundles
 * are everywhere then. A mesh that never does is attacked all the same, so that the steps tell what is wrong.
 */
export async function settled(mesh: MeshName, stage: Stage): Promise<void> {
  await until(
    () => carries(stage, ROUNDS[mesh]),
    (carried) => carried,
    DEADLINE_MS,
  );
}

async function carries(stage: Stage, { from, to, requests }: Round): Promise<boolean> {
  const socket = stage.mesh.callSocket(from, to);
  for (const request of requests) {
    const [method = "", path = ""] = request.split(" ");
    const { status } = await appOf(stage, from).http({ socket, method, path });
    if (status !== 200) return false;
  }
  return true;
}
