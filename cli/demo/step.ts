import type { CallResult, DemoApp, Received } from "../../compose/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import type { LocalMesh, RecordLog } from "../local-mesh/index.ts";
import type { PolicyText } from "../policy-folder.ts";

/** A running demo mesh, as its apps see it: where each workload is for its peers, and which sockets are its own. */
export interface StageMesh {
  readonly records: Pick<RecordLog, "mark" | "since" | "waitFor">;
  /** `<namespace>/<name>` of a workload, as its records name it. */
  key(workload: string): string;
  /** Host name or IP address of a workload's listeners. */
  address(workload: string): string;
  /** The SPIFFE Workload API of a workload. */
  sockets(workload: string): { readonly workload: string };
  appSocket(workload: string, port: number): string;
  callSocket(workload: string, callee: string): string;
}

/** Everything a step may touch: the running mesh and the apps by workload name. */
export interface Stage {
  readonly mesh: StageMesh;
  readonly apps: ReadonlyMap<string, DemoApp>;
}

/** The stage of a mesh that this process itself runs: its files, its authority and its keys are at hand. */
export interface LocalStage extends Stage {
  readonly mesh: LocalMesh;
}

/** The stage of two trust domains, `store.example` and `pay.example`, in their namespaces `store` and `pay`. */
export interface FederatedStage extends Stage {
  /** The keys of the store's authority: what whoever runs it, or has broken into it, can sign with. */
  readonly storeKeys: string;
  /** What the administrator of `pay.example` has published, and how. */
  readonly provider: {
    readonly files: readonly PolicyText[];
    publish(files: readonly PolicyText[]): Promise<void>;
  };
}

/** What a step came to. `not-isolated` is what local mode can't prevent and says openly. */
export interface Finding {
  readonly outcome: "as-expected" | "unexpected" | "not-isolated";
  /** What happened, for people: `200`, `403`, `refused in the TLS handshake`. */
  readonly happened: string;
  /** Why, in the decision's own word, and the line that decided. */
  readonly reason: string;
}

/** One thing that the scenario does. */
export interface Step<In extends Stage = Stage> {
  /** Who does it: a workload's name, or `you`. */
  readonly actor: string;
  /** What it does, e.g. `GET /orders/42 at orders`. */
  readonly title: string;
  readonly play: (stage: In) => Promise<Finding>;
}

/** Steps under one heading. */
export interface Chapter<In extends Stage = Stage> {
  readonly title: string;
  readonly steps: readonly Step<In>[];
}

const RECORD_DEADLINE_MS = 5_000;

/** The app process of a workload; throws where the scenario names one that the mesh does not have. */
export function appOf(stage: Stage, name: string): DemoApp {
  const app = stage.apps.get(name);
  if (app === undefined) throw new Error(`the demo mesh has no app \`${name}\``);
  return app;
}

/** What one call did: its result, what the destination's app received meanwhile, and the record about it. */
export interface Witnessed {
  readonly result: CallResult;
  readonly arrived: readonly Received[];
  readonly record: LogRecord | undefined;
}

/** Makes a call and watches both ends: the destination's app and the decision log of its workload. */
export async function witness(
  stage: Stage,
  destination: string,
  call: () => Promise<CallResult>,
  fits: (record: LogRecord) => boolean = () => true,
): Promise<Witnessed> {
  const app = appOf(stage, destination);
  const before = (await app.received()).length;
  const mark = stage.mesh.records.mark();
  const result = await call();
  const workload = stage.mesh.key(destination);
  const record = await stage.mesh.records.waitFor(
    mark,
    (one) => one.workload === workload && fits(one),
    RECORD_DEADLINE_MS,
  );
  return { result, arrived: (await app.received()).slice(before), record };
}

/** A finding from a list of what should hold: the first that does not makes it unexpected. */
export function finding(
  happened: string,
  reason: string,
  ...demands: readonly (readonly [boolean, string])[]
): Finding {
  const broken = demands.find(([holds]) => !holds);
  if (broken === undefined) return { outcome: "as-expected", happened, reason };
  return { outcome: "unexpected", happened, reason: `${reason} (expected ${broken[1]})` };
}

/** The reason of a record and, where a rule decided, its name. */
export function reasonOf(record: LogRecord | undefined): string {
  if (record === undefined) return "no record";
  if (record.kind !== "decision") return record.reason;
  const detail = record.line ?? record.detail;
  return detail === undefined ? record.reason : `${record.reason}: ${detail}`;
}
