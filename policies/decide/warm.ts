import type { DestinationIndex, Index } from "../compile/compiled.ts";
import type { CompiledLine } from "../compile/compiled-rule.ts";
import type { Attributes, HttpAttributes, PathPattern } from "../model/index.ts";
import { decide } from "./decide.ts";

const DECISIONS = 3_000;

/**
 * Runs decisions that nobody asked for, so that the code is hot and the first callers' views are built before sockets
 * open. Their results are thrown away; their ids come from the index's own source.
 */
export function warm(index: Index): void {
  const destinations = [...(index.policies?.destinations.values() ?? [])];
  const samples = destinations.flatMap((destination) => samplesOf(index, destination));
  const rounds = Math.ceil(DECISIONS / Math.max(1, samples.length));
  for (let round = 0; round < rounds; round++) for (const sample of samples) decide(index, sample);
}

function samplesOf(index: Index, destination: DestinationIndex): readonly Attributes[] {
  const callers = [...(index.policies?.registry.workloads.values() ?? [])].slice(0, 8);
  const lines = destination.rules.flatMap((rule) => rule.lines).slice(0, 32);
  return callers.flatMap((caller) =>
    [undefined, ...lines].map((line) => ({
      caller: caller.identity,
      destination: destination.workload.identity,
      listener: { port: 1, kind: "mesh" as const },
      ...requestOf(line),
      now: new Date(0),
    })),
  );
}

function requestOf(line: CompiledLine | undefined): Pick<Attributes, "http" | "tcp"> {
  const request = line?.request;
  switch (request?.kind) {
    case "tcp":
      return { tcp: {} };
    case "grpc":
      return http({ method: "POST", path: `/${request.service}/${request.method === "*" ? "Warm" : request.method}` });
    case "websocket":
      return http({ path: pathOf(request.path), upgrade: "websocket" });
    case "http":
      return http({
        method: request.methods === "ANY" ? "GET" : (request.methods[0] ?? "GET"),
        path: pathOf(request.path),
      });
    default:
      return http({ path: "/%77arm/up?a=b" });
  }
}

function http(part: Partial<HttpAttributes>): Pick<Attributes, "http"> {
  const headers = new Map([["content-type", [part.method === "POST" ? "application/grpc" : "application/json"]]]);
  return { http: { method: "GET", path: "/", host: "warm.invalid", headers, protocol: "HTTP/2", ...part } };
}

function pathOf(pattern: PathPattern): string {
  return `/${pattern.segments.map((segment) => (segment.kind === "literal" ? encodeURIComponent(segment.value) : "1")).join("/")}`;
}
