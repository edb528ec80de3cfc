import type { MeshName } from "../../compose/index.ts";
import { decisionLine } from "../decision-line.ts";
import type { Output } from "../io.ts";
import { lines } from "../screen.ts";
import type { RunningDemo } from "./start-demo.ts";
import { appOf } from "./step.ts";

const TRAFFIC_EVERY_MS = 2_000;

/** Who calls whom for what, all the time. */
const TRAFFIC: Readonly<Record<MeshName, readonly (readonly [from: string, to: string, path: string])[]>> = {
  shop: [
    ["web", "orders", "/orders/42"],
    ["intruder", "orders", "/orders/7"],
  ],
  boutique: [
    ["loadgenerator", "frontend", "/product/OLJCESPC7Z"],
    ["loadgenerator", "frontend", "/admin"],
  ],
  federated: [
    ["checkout", "gateway", "/charges/42"],
    ["helpdesk", "gateway", "/charges/42"],
  ],
};

/** Lets callers of the mesh go on calling, and prints each decision as it falls, until the returned function is called. */
export function followLive(mesh: MeshName, { stage, follow }: RunningDemo, output: Output): () => void {
  const unfollow = follow((record) => {
    lines(output, `  ${decisionLine(record, output)}`);
  });
  const timer = setInterval(() => {
    for (const [from, to, path] of TRAFFIC[mesh]) {
      const socket = stage.mesh.callSocket(from, to);
      appOf(stage, from)
        .http({ socket, method: "GET", path })
        .catch(() => {});
    }
  }, TRAFFIC_EVERY_MS);
  return () => {
    clearInterval(timer);
    unfollow();
  };
}
