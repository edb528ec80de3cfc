import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningEnvoy, renderSidecar, runEnvoy } from "../../envoy/index.ts";
import { severFile, socketPaths } from "../../ext-authz/index.ts";
import { type PolicySet, parseDocuments, resolve, type Workload } from "../../policies/index.ts";
import { CliError } from "../cli-error.ts";
import { readPolicyFolders } from "../policy-folder.ts";
import { startMesh } from "../up/start-mesh.ts";
import { Undo } from "../up/undo.ts";
import { watchFolders } from "../up/watch-folders.ts";
import { loopbackAddresses } from "./addresses.ts";
import type { LocalMesh, LocalMeshOptions, WorkloadSockets } from "./local-mesh.ts";
import { appSocket, callSocket, type LocalPlace, localOverlay, workloadKey } from "./overlay.ts";
import { createRecordLog } from "./record-log.ts";

const DEFAULT_NAMESPACE = "shop";
const OVERLAY_FILE = "local.yaml";
const READY_DEADLINE_MS = 30_000;
const WATCH_INTERVAL_MS = 150;

/**
 * Starts authority and agent in this process on the given set, put on this host by an overlay; sidecars start with `startSidecars`.
 * Both folders of policies are watched. Throws what a step of it throws; nothing is left running then.
 */
export async function startLocalMesh(options: LocalMeshOptions): Promise<LocalMesh> {
  const undo = new Undo();
  try {
    return await start(options, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function start(options: LocalMeshOptions, undo: Undo): Promise<LocalMesh> {
  const folders = layOut(options);
  const places = await placesOf(resolveFiles(options.files), folders.apps, options.addresses);
  writeFileSync(join(folders.overlay, OVERLAY_FILE), localOverlay(resolveFiles(options.files), places));
  for (const { path, text } of options.places ?? []) writeFileSync(join(folders.overlay, path), text);
  const policyFolders = [folders.policies, folders.overlay];
  const files = readPolicyFolders(policyFolders, options.folder);
  const set = resolveFiles(files);
  const records = createRecordLog();
  const mesh = await startMesh({
    stateDir: folders.state,
    runDir: folders.run,
    files,
    port: 0,
    onDecision: records.add,
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.lifetimes === undefined ? {} : { lifetimes: options.lifetimes }),
    revocationLists: options.revocationLists,
  });
  undo.add(() => mesh.stop());
  undo.add(
    watchFolders({
      folders: policyFolders,
      cwd: options.folder,
      intervalMs: WATCH_INTERVAL_MS,
      changed: async () => void (await mesh.publish(readPolicyFolders(policyFolders, options.folder))),
    }),
  );
  const sidecars = new Map<string, RunningEnvoy>();
  undo.add(() => Promise.all([...sidecars.values()].map((sidecar) => sidecar.stop())));
  const { namespace = DEFAULT_NAMESPACE } = options;
  const key = (workload: string): string => (workload.includes("/") ? workload : `${namespace}/${workload}`);
  const place = (workload: string): LocalPlace => known(places, key(workload));
  const sockets = (workload: string): WorkloadSockets => socketsOf(folders.run, key(workload));
  return {
    namespace,
    trustDomain: set.mesh.trustDomain,
    set,
    records,
    mesh,
    stateDir: folders.state,
    policyDir: folders.policies,
    overlayDir: folders.overlay,
    key,
    address: (workload) => place(workload).address,
    sockets,
    appSocket: (workload, port) => appSocket(place(workload), port),
    callSocket: (workload, callee) => callSocket(place(workload), callee),
    startSidecars: (workloads) => startSidecars({ set, options, sidecars, sockets }, workloads?.map(key)),
    edit: async (file, change) => edit(join(folders.policies, file), change),
    refusedEdit() {
      const first = mesh.authority.status().refused?.first;
      return first === undefined ? undefined : { line: first.span.line, message: first.message };
    },
    revoke: async (identity, reason) => void (await mesh.ca.revoke({ identity, reason }, "local mesh")),
    stop: () => undo.run(),
  };
}

interface Folders {
  readonly policies: string;
  readonly overlay: string;
  readonly state: string;
  readonly run: string;
  readonly apps: string;
}

function layOut({ folder, files }: LocalMeshOptions): Folders {
  const at = (name: string): string => join(folder, name);
  const folders = {
    policies: at("policies"),
    overlay: at("local"),
    state: at("state"),
    run: at("run"),
    apps: at("apps"),
  };
  for (const path of Object.values(folders)) mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const { path, text } of files) writeFileSync(join(folders.policies, path), text);
  return folders;
}

function resolveFiles(files: LocalMeshOptions["files"]): PolicySet {
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const error = set.diagnostics.find((one) => one.severity === "error");
  if (error === undefined) return set;
  const { file, line, column } = error.span;
  throw new CliError("ERR_CLI_POLICIES", `${file}:${line}:${column}: ${error.message}`, { hint: error.hint });
}

async function placesOf(
  set: PolicySet,
  appsFolder: string,
  addresses: LocalMeshOptions["addresses"],
): Promise<ReadonlyMap<string, LocalPlace>> {
  const free = await loopbackAddresses(set.workloads.length);
  return new Map(
    set.workloads.map((workload, index) => {
      const folder = join(appsFolder, `${workload.namespace}.${workload.name}`);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const address = addresses?.get(workloadKey(workload)) ?? free[index] ?? "127.0.0.1";
      return [workloadKey(workload), { address, folder }];
    }),
  );
}

function known<T>(things: ReadonlyMap<string, T>, workload: string): T {
  const thing = things.get(workload);
  if (thing === undefined) throw new TypeError(`the mesh has no workload \`${workload}\``);
  return thing;
}

function socketsOf(runDir: string, workload: string): WorkloadSockets {
  const [namespace = "", name = ""] = workload.split("/");
  const sockets = socketPaths(runDir, { namespace, name });
  return { ...sockets, admin: join(runDir, `${namespace}.${name}.admin.sock`) };
}

interface SidecarStart {
  readonly set: PolicySet;
  readonly options: LocalMeshOptions;
  readonly sidecars: Map<string, RunningEnvoy>;
  readonly sockets: (workload: string) => WorkloadSockets;
}

async function startSidecars(start: SidecarStart, wanted: readonly string[] | undefined): Promise<void> {
  const workloads = start.set.workloads.filter(
    (workload) => workload.sidecar !== undefined && (wanted?.includes(workloadKey(workload)) ?? true),
  );
  // Each sidecar has an `exit` listener of its own, which is more than Node.js expects of a program.
  process.setMaxListeners(process.getMaxListeners() + workloads.length);
  const results = await Promise.allSettled(workloads.map((workload) => startSidecar(start, workload)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

async function startSidecar({ set, options, sidecars, sockets }: SidecarStart, workload: Workload): Promise<void> {
  const name = workloadKey(workload);
  const { authz, envoy, admin } = sockets(name);
  const bootstrap = renderSidecar({
    workload,
    set,
    envoyVersion: options.envoy.version,
    sockets: { authz, envoy },
    adminSocket: admin,
  });
  const sidecar = await runEnvoy({
    path: options.envoy.path,
    bootstrap,
    adminSocket: admin,
    severFile: severFile({ envoy }),
    onLog: (line) => options.onEnvoyLog?.(name, line),
  });
  sidecars.set(name, sidecar);
  await sidecar.ready(READY_DEADLINE_MS);
}

function edit(path: string, change: (text: string) => string): string {
  const before = readFileSync(path, "utf8");
  writeFileSync(path, change(before));
  return before;
}
