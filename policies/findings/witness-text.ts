import { parseQuery } from "../match/query.ts";
import type { Attributes, HttpAttributes, PolicySet } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { WitnessRequest } from "./finding.ts";

/**
 * The witness that stands for a request: `attributesOf` of it decides as the attributes do. The reverse of `attributesOf`
 * for requests that a sidecar of the set could send; what a witness cannot say (a serial, withheld headers) is left out.
 */
export function witnessOf(attributes: Attributes, set: PolicySet): WitnessRequest {
  const { caller, destination, listener, peerAddress, http, now } = attributes;
  const claims = claimsOf(attributes);
  return {
    from: caller === undefined ? "anonymous" : nameOf(caller.toString(), set),
    to: nameOf(destination.toString(), set),
    ...(http === undefined ? { request: `tcp ${listener.port}` } : httpParts(http)),
    port: listener.port,
    ...(peerAddress === undefined ? {} : { address: peerAddress }),
    ...(claims === undefined ? {} : { claims }),
    at: now.toISOString(),
  };
}

function nameOf(identity: string, { workloads }: PolicySet): string {
  const workload = workloads.find((one) => one.identity.toString() === identity);
  return workload === undefined ? identity : `${workload.namespace}/${workload.name}`;
}

type HttpParts = Pick<WitnessRequest, "request" | "query" | "headers" | "host">;

function httpParts({ method, path, host, headers, upgrade }: HttpAttributes): HttpParts {
  const grpc = method === "POST" && upgrade === undefined && headers.get("content-type")?.[0] === "application/grpc";
  const grpcPath = grpc ? /^\/([^/?#]+\/[^/?#]+)$/.exec(path)?.[1] : undefined;
  const shown = Object.fromEntries(
    [...headers]
      .filter(([name]) => grpcPath === undefined || name !== "content-type")
      .map(([name, values]) => [name, utf8(values)]),
  );
  const { target, query } = splitQuery(path);
  const request =
    grpcPath === undefined ? `${upgrade === undefined ? method : "websocket"} ${target}` : `grpc ${grpcPath}`;
  return {
    request,
    ...(query === undefined ? {} : { query }),
    ...(Object.keys(shown).length === 0 ? {} : { headers: shown }),
    host,
  };
}

/** Takes a readable query off the target; a malformed one stays where it is. */
function splitQuery(path: string): { readonly target: string; readonly query?: Record<string, readonly string[]> } {
  const query = parseQuery(path);
  if (query === "malformed" || query.size === 0) return { target: path };
  return { target: path.slice(0, path.indexOf("?")), query: Object.fromEntries(query) };
}

/** Header bytes, one a character, as the UTF-8 text they are. */
function utf8(values: readonly string[]): string | readonly string[] {
  const texts = values.map((value) => Buffer.from(value, "latin1").toString("utf8"));
  return texts.length === 1 ? (texts[0] ?? "") : texts;
}

function claimsOf({ claims }: Attributes): WitnessRequest["claims"] {
  const verified = [...(claims ?? [])].flatMap(([provider, state]) =>
    state.kind === "verified" ? [[provider, state.payload] as const] : [],
  );
  return verified.length === 0 ? undefined : Object.fromEntries(verified);
}

/** One line for people: `shop/web → shop/orders: GET /orders/42 [x-tenant: acme]`. Every foreign character is printable. */
export function witnessText(witness: WitnessRequest): string {
  const { from, to, request, headers = {}, query = {}, host, claims, at, address } = witness;
  const pairs = (of: Readonly<Record<string, string | readonly string[]>>, sign: string): readonly string[] =>
    Object.entries(of).flatMap(([name, value]) =>
      (typeof value === "string" ? [value] : value).map((one) => `${name}${sign}${one}`),
    );
  const details = [
    ...pairs(query, "="),
    ...pairs(headers, ": "),
    ...(host === undefined ? [] : [`host ${host}`]),
    ...(address === undefined ? [] : [`from address ${address}`]),
    ...Object.entries(claims ?? {}).map(([provider, payload]) => `token of ${provider} ${JSON.stringify(payload)}`),
    ...(at === undefined ? [] : [`at ${at}`]),
  ];
  const suffix = details.length === 0 ? "" : ` [${details.join(", ")}]`;
  return printable(`${from} → ${to}: ${request}${suffix}`, 1000);
}
