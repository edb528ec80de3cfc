import { join } from "node:path";
import { stringify } from "yaml";
import type { Call, Listen, PolicySet, Workload } from "../../policies/index.ts";

/** Where the parts of a workload are when the whole mesh runs as plain processes of one host. */
export interface LocalPlace {
  /** Loopback address of the workload's listeners. */
  readonly address: string;
  /** Folder of the app's sockets: `app-<port>.sock` that the app listens on, `to-<workload>.sock` that it calls. */
  readonly folder: string;
}

/** `<namespace>/<name>`, the key by which a local mesh knows its workloads. */
export function workloadKey(workload: { readonly namespace: string; readonly name: string }): string {
  return `${workload.namespace}/${workload.name}`;
}

/** Unix socket that the app of a workload listens on, for one of its ports. */
export function appSocket(place: LocalPlace, port: number): string {
  return join(place.folder, `app-${port}.sock`);
}

/** Unix socket of a workload's outbound listener to another workload. */
export function callSocket(place: LocalPlace, callee: string): string {
  return join(place.folder, `to-${callee}.sock`);
}

/**
 * Documents that, read after a set's own, put every sidecar of the set on this host: its address and the sockets between app and sidecar.
 * Everything else of the set stays as it is.
 */
export function localOverlay(set: PolicySet, places: ReadonlyMap<string, LocalPlace>): string {
  const documents = set.workloads.flatMap((workload) => {
    const place = places.get(workloadKey(workload));
    return place === undefined || workload.sidecar === undefined ? [] : [overlayOf(workload, place)];
  });
  return documents.map((document) => stringify(document)).join("---\n");
}

function overlayOf(workload: Workload, place: LocalPlace): unknown {
  return {
    apiVersion: "cellwall.dev/v1",
    kind: "Workload",
    metadata: { name: workload.name, namespace: workload.namespace },
    spec: {
      sidecar: {
        address: place.address,
        ...section("listens", workload.sidecar?.listens.map((listen) => listenOf(listen, place)) ?? []),
        ...section("calls", workload.sidecar?.calls.map((call) => callOf(call, workload, place)) ?? []),
      },
    },
  };
}

/** The language knows no empty lists: a section without entries is left out. */
function section(name: string, entries: readonly unknown[]): Record<string, unknown> {
  return entries.length === 0 ? {} : { [name]: entries };
}

function listenOf(listen: Listen, place: LocalPlace): unknown {
  return {
    port: listen.port,
    app: `unix:${appSocket(place, listen.port)}`,
    protocol: listen.protocol,
    ...(listen.protocol === "tcp" ? { speaksFirst: listen.speaksFirst } : {}),
    ...section("upgrades", listen.upgrades),
    ...(listen.clients === "public" ? { clients: "public" } : {}),
    ...(listen.serverCertificate === undefined ? {} : { serverCertificate: listen.serverCertificate }),
    ...(listen.appProtocol === undefined ? {} : { appProtocol: listen.appProtocol }),
  };
}

function callOf(call: Call, workload: Workload, place: LocalPlace): unknown {
  const name = call.workload.namespace === workload.namespace ? call.workload.name : workloadKey(call.workload);
  return { workload: name, port: call.port, local: `unix:${callSocket(place, call.workload.name)}` };
}
