import { join } from "node:path";
import { meshSides, sidePolicyFiles } from "../../compose/index.ts";
import { publishResponse } from "../../protocol/index.ts";
import { ask, authorityAccess } from "../admin-client.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import type { PolicyText } from "../policy-folder.ts";
import { type AttachedStage, type AttachOptions, attachStage } from "./attach-stage.ts";
import type { FederatedStage } from "./step.ts";

/** The two federated meshes in containers, and their authorities' state: `store/cellwall` and `pay/cellwall` of this folder. */
export interface AttachFederatedOptions extends AttachOptions {
  readonly authorities: string;
}

/**
 * Connects to the two meshes as `attachStage` does. Must run where the provider's authority takes administrators: on its loopback. What
 * the scenario publishes there is taken back at the end.
 */
export async function attachFederated(
  options: AttachFederatedOptions,
  io: Io,
): Promise<FederatedStage & AttachedStage> {
  const stateOf = (namespace: string): string => join(options.authorities, namespace, "cellwall");
  const side = meshSides("federated").find(({ namespace }) => namespace === "pay");
  if (side === undefined) throw new CliError("ERR_CLI_USAGE", "the mesh has no provider");
  const files = sidePolicyFiles(side, ["policies", "containers"]);
  const stage = await attachStage(options);
  let published = files;
  const publish = async (next: readonly PolicyText[]): Promise<void> => {
    const access = authorityAccess({ state: stateOf("pay") }, io);
    const body = { files: next.map(({ path, text }) => ({ path, text })), dryRun: false };
    await ask(access, { method: "POST", path: "/v1/policies", body, answer: publishResponse });
    published = next;
  };
  return {
    ...stage,
    storeKeys: join(stateOf("store"), "authority", "keys"),
    provider: { files, publish },
    async close() {
      if (published !== files) await publish(files);
      await stage.close();
    },
  };
}
