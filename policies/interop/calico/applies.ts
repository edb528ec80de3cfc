import type { KnownWorkload, World } from "../draft/world.ts";
import { endpointOf } from "./endpoint.ts";
import type { CalicoRule, PortSpan, Side } from "./policy.ts";

/** Who calls whom, and where. */
export interface Situation {
  /** Absent: somebody of whom nothing but that is known. */
  readonly caller: KnownWorkload | undefined;
  readonly callee: KnownWorkload;
  /** Absent: none of the ports that are told apart. */
  readonly port: number | undefined;
  readonly world: World;
}

/** Whether a rule is about a situation, its requests and the caller's address aside; `maybe` where that is not known. */
export function applies(rule: CalicoRule, { caller, callee, port, world }: Situation): "yes" | "no" | "maybe" {
  const { tcp, source, destination, ofUnknown } = rule;
  const to = destination.matches === undefined || destination.matches(endpointOf(callee, world));
  const from = caller === undefined || source.matches === undefined || source.matches(endpointOf(caller, world));
  const at = portAnswer(destination, callee, port);
  if (!tcp || !to || !from || at === "no") return "no";
  const isUnknown =
    ofUnknown ||
    at === "maybe" ||
    source.untold.length + destination.untold.length > 0 ||
    (caller === undefined && source.matches !== undefined) ||
    source.ports !== undefined ||
    source.notPorts.length > 0 ||
    destination.nets !== undefined ||
    destination.notNets.length > 0;
  return isUnknown ? "maybe" : "yes";
}

function portAnswer(
  { ports, notPorts }: Side,
  callee: KnownWorkload,
  port: number | undefined,
): "yes" | "no" | "maybe" {
  const inside = (span: PortSpan): boolean | undefined => {
    const known = numbersOf(span, callee);
    return known === undefined ? undefined : port !== undefined && port >= known[0] && port <= known[1];
  };
  const [wanted, unwanted] = [ports?.map(inside), notPorts.map(inside)];
  if (unwanted.includes(true) || wanted?.every((one) => one === false) === true) return "no";
  return (wanted === undefined || wanted.includes(true)) && !unwanted.includes(undefined) ? "yes" : "maybe";
}

/** The numbers of a span at a callee; absent where its name is not known there. */
export function numbersOf(span: PortSpan, { namedPorts }: KnownWorkload): readonly [number, number] | undefined {
  if (typeof span !== "string") return span;
  const number = namedPorts?.[span];
  return number === undefined ? undefined : [number, number];
}
