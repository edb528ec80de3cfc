import type { CallResult } from "../../../compose/index.ts";
import { appOf, type Chapter, type Finding, finding, type LocalStage, type Stage } from "../step.ts";
import { until } from "../until.ts";

const EDIT_DEADLINE_MS = 10_000;
const REVOCATION_DEADLINE_MS = 5_000;
const PROMISED_REVOCATION_MS = 1_000;

const ADDED_LINE = "        - GET /invoices/{id:int}\n";

/** Changes to a mesh that keeps running: edits of a policy on disk, and a revocation. */
export const whileItRuns: Chapter<LocalStage> = {
  title: "While it runs",
  steps: [
    {
      actor: "you",
      title: "add `GET /invoices/{id:int}` for web to access.yaml on disk",
      play: async (stage) => {
        const started = Date.now();
        await stage.mesh.edit("access.yaml", (text) =>
          text.replace(/(GET \/orders\/\{id:int\}\/items\n)/, `$1${ADDED_LINE}`),
        );
        const result = await until(
          () => call(stage, "web", "/invoices/42"),
          (one) => one.status === 200,
          EDIT_DEADLINE_MS,
        );
        return finding(`${result.status} after ${Date.now() - started} ms`, "in force without a restart", [
          result.status === 200,
          "GET /invoices/42 to be allowed",
        ]);
      },
    },
    {
      actor: "you",
      title: "break the same file, with a typing error",
      play: brokenEdit,
    },
    {
      actor: "you",
      title: "revoke the intruder, while a connection of it is open",
      play: revocation,
    },
  ],
};

async function brokenEdit(stage: LocalStage): Promise<Finding> {
  const whole = await stage.mesh.edit("access.yaml", (text) => text.replace("requests:", "reqeusts:"));
  const refused = await until(
    async () => stage.mesh.refusedEdit(),
    (one) => one !== undefined,
    EDIT_DEADLINE_MS,
  );
  const result = await call(stage, "web", "/orders/42");
  await stage.mesh.edit("access.yaml", () => whole);
  await until(
    async () => stage.mesh.refusedEdit(),
    (one) => one === undefined,
    EDIT_DEADLINE_MS,
  );
  const place = refused === undefined ? "not noticed" : `access.yaml:${refused.line}: ${refused.message}`;
  return finding(
    `web gets ${result.status} still`,
    `the edit is refused: ${place}`,
    [result.status === 200, "the last good revision"],
    [refused !== undefined, "a refusal with its place"],
  );
}

async function revocation(stage: LocalStage): Promise<Finding> {
  const before = await call(stage, "intruder", "/status/live");
  await stage.mesh.revoke("spiffe://shop.example/shop/intruder", "it was taken over");
  const revoked = performance.now();
  const mark = stage.mesh.records.mark();
  const after = await until(
    () => call(stage, "intruder", "/status/live"),
    (one) => one.status === 403,
    REVOCATION_DEADLINE_MS,
  );
  const took = Math.round(performance.now() - revoked);
  const record = await stage.mesh.records.waitFor(
    mark,
    (one) => one.kind === "decision" && one.reason === "revoked-identity",
    REVOCATION_DEADLINE_MS,
  );
  return finding(
    `${after.status} after ${took} ms`,
    record?.reason ?? "no record",
    [before.status === 200, "the connection to work before"],
    [after.status === 403 && record !== undefined, "revoked-identity"],
    [took <= PROMISED_REVOCATION_MS, "within a second"],
  );
}

function call(stage: Stage, from: string, path: string): Promise<CallResult> {
  return appOf(stage, from).httpOnOpenConnection({
    socket: stage.mesh.callSocket(from, "orders"),
    method: "GET",
    path,
  });
}
