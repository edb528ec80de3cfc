import { allowed } from "../expectations.ts";
import { isOfPartners } from "../federated-places.ts";
import { appOf, type Chapter, type FederatedStage, type Finding, finding } from "../step.ts";
import { requestBytes, straightAt } from "../straight-at.ts";
import { until } from "../until.ts";
import { through } from "./across-the-border.ts";

const DEADLINE_MS = 10_000;

/** The provider takes its word about the store back, and gives it again; nothing is restarted meanwhile. */
export const endOfFederation: Chapter<FederatedStage> = {
  title: "While it runs: the provider ends the federation",
  steps: [
    { actor: "you", title: "take partners.yaml from pay.example, a connection open", play: ended },
    { actor: "helpdesk", title: "a new connection to gateway, with its own certificate", play: newConnection },
    allowed({
      actor: "gateway",
      title: "POST /entries at ledger, within pay.example, as before",
      destination: "ledger",
      rule: "gateway-books",
      call: through("gateway", "ledger", "POST /entries"),
    }),
    { actor: "you", title: "put it back", play: begunAgain },
  ],
};

async function ended(stage: FederatedStage): Promise<Finding> {
  const before = await charges(stage);
  const mark = stage.mesh.records.mark();
  const started = performance.now();
  await stage.provider.publish(stage.provider.files.filter((file) => !isOfPartners(file)));
  const after = await until(
    () => charges(stage),
    ({ status }) => status === 403,
    DEADLINE_MS,
  );
  const took = Math.round(performance.now() - started);
  const record = await stage.mesh.records.waitFor(mark, ({ reason }) => reason === "untrusted-domain", DEADLINE_MS);
  return finding(
    `${after.status} after ${took} ms`,
    record?.reason ?? "no record",
    [before.status === 200, "the connection to work before"],
    [after.status === 403 && record?.workload === "pay/gateway", "untrusted-domain"],
  );
}

/** The sidecar is told in its own time that it believes the store's certificates no more. */
async function newConnection(stage: FederatedStage): Promise<Finding> {
  const bytes = requestBytes("GET", "/charges/42/receipt");
  const call = straightAt<FederatedStage>({ actor: "helpdesk", destination: "gateway", port: 8443, bytes });
  const mark = stage.mesh.records.mark();
  const before = (await appOf(stage, "gateway").received()).length;
  const { status } = await until(
    () => call(stage),
    (one) => one.status === undefined,
    DEADLINE_MS,
  );
  const record = await stage.mesh.records.waitFor(mark, ({ kind }) => kind === "connection-refused", DEADLINE_MS);
  const arrived = (await appOf(stage, "gateway").received()).length - before;
  return finding(
    status === undefined ? "TLS refused" : String(status),
    `refused by the sidecar: ${record?.reason}`,
    [status === undefined && record?.reason === "untrusted-certificate", "no answer, untrusted-certificate"],
    [arrived === 0, "the app to receive nothing"],
  );
}

async function begunAgain(stage: FederatedStage): Promise<Finding> {
  const started = performance.now();
  await stage.provider.publish(stage.provider.files);
  const { status } = await until(
    () => charges(stage),
    (one) => one.status === 200,
    DEADLINE_MS,
  );
  const took = Math.round(performance.now() - started);
  return finding(`${status} after ${took} ms`, "in force without a restart", [
    status === 200,
    "the call to go through",
  ]);
}

function charges(stage: FederatedStage) {
  const socket = stage.mesh.callSocket("checkout", "gateway");
  return appOf(stage, "checkout").httpOnOpenConnection({ socket, method: "GET", path: "/charges/42" });
}
