import type { Say } from "../draft/say.ts";
import type { KnownWorkload } from "../draft/world.ts";
import type { PeerRule, PortRange } from "./network-policy.ts";

/** A range of more ports than this is written only as far as the registry knows the listeners. */
const MAX_RANGE = 1_024;

/** TCP ports of a rule: `any`, or those listed, which may be none. */
export type Ports = "any" | readonly number[];

/** The listener ports that a rule speaks of, at the workloads it protects. */
export function portsOfRule({ ports }: PeerRule, protectedOnes: readonly KnownWorkload[], say: Say): Ports {
  if (ports.length === 0) return "any";
  const tcp = ports.filter(({ protocol }) => protocol === "TCP");
  if (tcp.length < ports.length) say("unsupported", "only TCP is carried by sidecars", "datagram");
  if (tcp.some(({ from }) => from === undefined)) return "any";
  return [...new Set(tcp.flatMap((range) => portsOfRange(range, protectedOnes, say)))].sort((a, b) => a - b);
}

function portsOfRange({ from, to }: PortRange, protectedOnes: readonly KnownWorkload[], say: Say): readonly number[] {
  if (typeof from === "string") return namedPort(from, protectedOnes, say);
  if (from === undefined) return [];
  if (to === undefined) return [from];
  if (to - from < MAX_RANGE) return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const known = protectedOnes.flatMap(({ ports }) => ports ?? []);
  const complete = protectedOnes.length > 0 && protectedOnes.every(({ ports }) => ports !== undefined);
  const reason = `of the ports ${from} to ${to}, those that registered workloads listen on are written`;
  say(complete ? "exact" : "narrower", reason, complete ? undefined : "unregistered");
  return known.filter((port) => port >= from && port <= to);
}

/** A named port is a number of each container; one rule can say it only where all have the same. */
function namedPort(name: string, protectedOnes: readonly KnownWorkload[], say: Say): readonly number[] {
  const numbers = [...new Set(protectedOnes.map(({ namedPorts }) => namedPorts?.[name]))];
  const [only] = numbers;
  if (numbers.length === 1 && only !== undefined) return [only];
  say(
    "unsupported",
    `the port named \`${name}\` is not known to be one number at all workloads that the policy selects`,
  );
  return [];
}
