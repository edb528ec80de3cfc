/** A whole mesh as plain processes of one host: what the demo and the end-to-end tests run on. */

export { loopbackAddresses } from "./addresses.ts";
export type { LocalMesh, LocalMeshOptions, WorkloadSockets } from "./local-mesh.ts";
export { type LocalPlace, localOverlay, workloadKey } from "./overlay.ts";
export { createRecordLog, type RecordLog } from "./record-log.ts";
export { startLocalMesh } from "./start-local-mesh.ts";
