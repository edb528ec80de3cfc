import type { WitnessRequest } from "../../findings/finding.ts";
import type { DraftCaller, DraftClaim, DraftRule } from "./draft.ts";
import { nameOf, type World } from "./world.ts";

/** An address of no real host, so that conditions on addresses can be decided. */
const DOCUMENTATION_ADDRESS = "192.0.2.1";

/** A request that a rule allows at a destination; absent where the rule names nobody. */
export function witnessOfRule(
  rule: Omit<DraftRule, "name">,
  destination: string,
  world: World,
  change: Partial<WitnessRequest>,
): WitnessRequest | undefined {
  const [caller] = rule.from ?? [];
  const line = rule.requests?.find((one) => /^[A-Z|-]+ \//.test(one));
  if (caller === undefined || line === undefined) return undefined;
  const [methods = "", pattern = ""] = line.split(" ");
  const method = methods === "ANY" ? "GET" : (methods.split("|")[0] ?? "GET");
  const headers = Object.fromEntries(
    Object.entries(rule.headers ?? {}).flatMap(([name, matcher]) => valueFor(name, matcher)),
  );
  const [port] = rule.ports ?? [];
  const [host] = rule.hosts ?? [];
  const [block] = caller.addresses ?? [];
  return {
    from: callerText(caller, world),
    to: destination,
    request: `${method} ${pattern.replace(/\*\*/g, "x").replace(/\{[^}]*\}/g, "x")}`,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    address: block?.split("/")[0] ?? DOCUMENTATION_ADDRESS,
    ...claimsOf(rule),
    ...change,
    ...(Object.keys(headers).length === 0 && change.headers === undefined
      ? {}
      : { headers: { ...headers, ...change.headers } }),
  };
}

function claimsOf({ jwt }: Omit<DraftRule, "name">): Pick<WitnessRequest, "claims"> {
  if (jwt === undefined) return {};
  const payload = Object.entries(jwt.claims ?? {}).flatMap(([name, matcher]) => valueFor(name, matcher));
  return { claims: { [jwt.provider]: Object.fromEntries(payload) } };
}

function valueFor(name: string, matcher: DraftClaim): readonly (readonly [string, string])[] {
  if (typeof matcher === "string") return [[name, matcher]];
  if ("in" in matcher) return [[name, matcher.in[0] ?? "x"]];
  if ("hasAny" in matcher) return [[name, matcher.hasAny[0] ?? "x"]];
  if ("has" in matcher) return [[name, matcher.has]];
  if ("prefix" in matcher) return [[name, matcher.prefix]];
  if ("suffix" in matcher) return [[name, matcher.suffix]];
  if ("contains" in matcher) return [[name, matcher.contains]];
  if ("absent" in matcher) return [];
  return [[name, "x-x-x"]];
}

function callerText(caller: DraftCaller, world: World): string {
  const [first] = world.workloads;
  if (caller.workload !== undefined) return caller.workload;
  if (caller.trustDomain !== undefined) return `spiffe://${caller.trustDomain}/ns/x/sa/x`;
  if (caller.anyone === "anonymous") return "anonymous";
  if (caller.spiffe === undefined) return first === undefined ? "anonymous" : nameOf(first);
  if (!caller.spiffe.endsWith("/**")) return caller.spiffe;
  const below = caller.spiffe.slice(0, -2);
  const known = world.workloads.find(({ identity }) => identity.startsWith(below));
  return known === undefined ? `${below}sa/x` : nameOf(known);
}
