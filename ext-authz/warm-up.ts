import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { SpiffeId } from "../spiffe/index.ts";
import type { CheckHandler } from "./check-handler.ts";

const ROUNDS = 400;

/**
 * Runs a workload's handler on made-up requests, so that the first real check does not meet a cold process, which takes 40 to 90 ms and
 * can run into the sidecar's deadline. The caller keeps their records out of log and metrics.
 */
export function warmUp(handler: CheckHandler, destination: SpiffeId, rounds: number = ROUNDS): void {
  const samples = sampleRequests(destination);
  for (let round = 0; round < rounds; round++) for (const sample of samples) handler(sample);
}

/** Checks of every kind, as a generated sidecar sends them. */
export function sampleRequests(destination: SpiffeId): readonly Buffer[] {
  const caller = `spiffe://${destination.trustDomain}/cellwall-warm-up`;
  const http = (method: string, path: string): Buffer =>
    checkRequest({ caller, destination: destination.toString(), http: { method, path } });
  return [
    http("GET", "/a/42?x=1"),
    http("POST", "/a"),
    http("GET", "/a/../b"),
    checkRequest({ caller, destination: destination.toString() }),
  ];
}

interface Sample {
  readonly caller: string;
  readonly destination: string;
  readonly http?: { readonly method: string; readonly path: string };
}

/** Bytes of an `envoy.service.auth.v3.CheckRequest` as a generated sidecar sends it. */
function checkRequest(sample: Sample): Buffer {
  const extensions: readonly (readonly [string, string])[] = [
    ["cellwall.listener", "mesh"],
    ["cellwall.port", "8443"],
  ];
  const context = new BinaryWriter();
  nested(context, 1, peer(sample.caller, 40_000));
  nested(context, 2, peer(sample.destination, 8443));
  if (sample.http !== undefined)
    nested(context, 4, nested(new BinaryWriter(), 2, httpRequest(sample.caller, sample.http)));
  for (const entry of extensions) nested(context, 10, mapEntry(entry));
  return Buffer.from(nested(new BinaryWriter(), 1, context).finish());
}

function peer(principal: string, port: number): BinaryWriter {
  const socketAddress = new BinaryWriter().tag(2, 2).string("127.0.0.1").tag(3, 0).uint32(port);
  const address = nested(new BinaryWriter(), 1, socketAddress);
  return nested(new BinaryWriter(), 1, address).tag(4, 2).string(principal);
}

function httpRequest(caller: string, http: { readonly method: string; readonly path: string }): BinaryWriter {
  const writer = new BinaryWriter().tag(2, 2).string(http.method);
  const headers: readonly (readonly [string, string])[] = [
    [":method", http.method],
    [":path", http.path],
    ["content-type", "application/json"],
    ["user-agent", "warm-up"],
    ["x-cellwall-caller", caller],
    ["x-cellwall-peer-serial", "1f"],
  ];
  for (const header of headers) nested(writer, 3, mapEntry(header));
  return writer.tag(4, 2).string(http.path).tag(5, 2).string("warm-up.internal").tag(10, 2).string("HTTP/2");
}

function mapEntry([key, value]: readonly [string, string]): BinaryWriter {
  return new BinaryWriter().tag(1, 2).string(key).tag(2, 2).string(value);
}

function nested(writer: BinaryWriter, field: number, message: BinaryWriter): BinaryWriter {
  return writer.tag(field, 2).bytes(message.finish());
}
