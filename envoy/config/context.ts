import { isIP } from "node:net";
import type { Listen, PolicySet, Sidecar, Workload } from "../../policies/index.ts";
import type { EnvoyVersion } from "../binary/index.ts";
import { listenerAddress } from "./endpoint.ts";
import type { JsonObject } from "./json.ts";

/** What every part of a sidecar's configuration is rendered from. */
export interface RenderContext {
  readonly workload: Workload;
  readonly sidecar: Sidecar;
  readonly set: PolicySet;
  readonly envoyVersion: EnvoyVersion;
  /** IP address that inbound listeners are bound to. */
  readonly bind: string;
}

/** A part of a configuration: listeners and the clusters that they lead to. */
export interface Part {
  readonly listeners: readonly JsonObject[];
  readonly clusters: readonly JsonObject[];
}

/** Joins parts, in order. */
export function joined(parts: readonly Part[]): Part {
  return {
    listeners: parts.flatMap((part) => part.listeners),
    clusters: parts.flatMap((part) => part.clusters),
  };
}

/** Where a sidecar listens for its peers: at its own address where that is one, else at every IPv4 address of the host. */
export function bindAddressOf(sidecar: Sidecar): string {
  if (sidecar.address === "localhost") return "127.0.0.1";
  return isIP(sidecar.address) === 0 ? "0.0.0.0" : sidecar.address;
}

/** Address of an inbound listener. */
export function inboundAddress(context: RenderContext, port: number): JsonObject {
  return listenerAddress({ kind: "ip", address: context.bind, port });
}

/** Name of the cluster of a listener's app. */
export function appCluster(listen: Listen): string {
  return `app_${listen.port}`;
}
