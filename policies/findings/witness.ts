import { isIP } from "node:net";
import { tryParseSpiffeId } from "../../spiffe/index.ts";
import type { Attributes, PolicySet, Workload } from "../model/index.ts";
import { PolicyError } from "../policy-error.ts";
import { printable } from "../printable.ts";
import { attributesOfAsked } from "../tests/case-attributes.ts";
import type { WitnessRequest } from "./finding.ts";

/** Options of `attributesOf`. */
export interface WitnessOptions {
  /** When the request happens, unless it says `at`. */
  readonly now: Date;
}

/**
 * What a sidecar hands to `decide` for a witness. Throws `PolicyError` `ERR_POLICY_WITNESS` where the witness names a
 * workload that the set lacks, or is no request.
 */
export function attributesOf(witness: WitnessRequest, set: PolicySet, { now }: WitnessOptions): Attributes {
  const destination = workloadOf(witness.to, set);
  const { host, port, address, at } = witness;
  if (destination === undefined) throw bad(`the set has no workload \`${printable(witness.to)}\``);
  if (address !== undefined && isIP(address) === 0) throw bad(`\`${printable(address)}\` is not an IP address`);
  return attributesOfAsked(
    {
      destination,
      identity: identityOf(witness.from, set),
      request: requestOf(witness),
      headers: new Map(
        Object.entries(witness.headers ?? {}).map(([name, value]) => [name.toLowerCase(), listOf(value)]),
      ),
      host,
      port,
      address,
      claims: new Map(Object.entries(witness.claims ?? {})),
      at: at === undefined ? undefined : instantOf(at),
    },
    set,
    now,
  );
}

/** The workload that a text names: `namespace/name`, a SPIFFE ID, or a bare name that only one has. */
export function workloadOf(text: string, { workloads }: PolicySet): Workload | undefined {
  const exact = workloads.find((one) => `${one.namespace}/${one.name}` === text || one.identity.toString() === text);
  if (exact !== undefined || text.includes("/")) return exact;
  const named = workloads.filter(({ name }) => name === text);
  return named.length === 1 ? named[0] : undefined;
}

function identityOf(from: string, set: PolicySet): string | undefined {
  if (from === "anonymous") return undefined;
  const workload = workloadOf(from, set);
  if (workload !== undefined) return workload.identity.toString();
  const read = tryParseSpiffeId(from);
  if (!read.ok) throw bad(`\`${printable(from)}\` is neither a workload of the set nor a SPIFFE ID`);
  return read.id.toString();
}

const REQUEST = /^(?:(?:[!-~]+|websocket) \/[^ ]*|grpc [^ /]+\/[^ /]+|tcp [0-9]{1,5})$/;

function requestOf({ request, query }: WitnessRequest): string {
  if (!REQUEST.test(request)) throw bad(`\`${printable(request)}\` is not one request`);
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => listOf(value).map((one) => [name, one]));
  if (pairs.length === 0) return request;
  if (/^(?:tcp|grpc) /.test(request)) throw bad(`\`${printable(request)}\` has no query`);
  const text = pairs.map((pair) => pair.map((part) => encodeURIComponent(part)).join("=")).join("&");
  return `${request}${request.includes("?") ? "&" : "?"}${text}`;
}

function instantOf(text: string): Date {
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) throw bad(`\`${printable(text)}\` is not an instant`);
  return instant;
}

function bad(message: string): PolicyError {
  return new PolicyError("ERR_POLICY_WITNESS", message);
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
