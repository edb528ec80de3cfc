import { GRPC_BY_SERVICE } from "../draft/everything.ts";
import type { Say } from "../draft/say.ts";
import type { World } from "../draft/world.ts";
import { covers, deniedBeyond, mayMeet } from "./compare.ts";

/** Methods and paths of a request: those listed, without those excluded. `methods` absent is any. */
export interface Selection {
  readonly methods: readonly string[] | undefined;
  readonly notMethods: readonly string[];
  readonly patterns: readonly string[];
  readonly notPatterns: readonly string[];
}

/** Lines, and the lines carved out of them. */
export interface Lines {
  readonly requests: readonly string[];
  readonly except: readonly string[];
}

const SLASH = "the deny's reading of a path takes the other spelling of a trailing slash along";

/** The lines of an allow, in as many rules as are needed for the exceptions to reach no further than the source's. */
export function allowLines(selection: Selection, world: World, say: Say): readonly Lines[] {
  const { methods, notMethods, patterns, notPatterns } = selection;
  const kept = methods?.filter((method) => !notMethods.includes(method));
  const without = kept === undefined ? notMethods : [];
  const requests = patterns.flatMap((pattern) => linesOf(kept, pattern, world, say));
  if (requests.length === 0) return [];
  const except = [
    ...(without.length === 0 ? [] : [`${without.join("|")} /**`]),
    ...notPatterns.map((pattern) => `ANY ${pattern}`),
  ];
  const head = without.includes("GET") && !without.includes("HEAD");
  return [
    { requests: [...new Set(requests)], except },
    ...(head ? allowLines({ ...selection, methods: ["HEAD"], notMethods: [] }, world, say) : []),
    ...notPatterns
      .flatMap((pattern) => spared(pattern, selection, say))
      .flatMap((back) => allowLines({ ...selection, ...back }, world, say)),
  ];
}

/** What an exception takes along although the source does not mean it, and no other exception does. */
function spared(
  pattern: string,
  { patterns, notPatterns }: Selection,
  say: Say,
): readonly Pick<Selection, "patterns" | "notPatterns">[] {
  return deniedBeyond(pattern).flatMap((beyond) => {
    const others = notPatterns.filter((other) => other !== pattern && mayMeet(other, beyond));
    if (others.some((other) => covers(other, beyond))) return [];
    const meeting = patterns.filter((one) => mayMeet(one, beyond));
    if (meeting.length === 0) return [];
    if (meeting.some((one) => covers(one, beyond))) return [{ patterns: [beyond], notPatterns: others }];
    const inside = meeting.filter((one) => covers(beyond, one));
    if (inside.length < meeting.length) say("narrower", SLASH, beyond.endsWith("/") ? "trailing-slash" : undefined);
    return inside.length === 0 ? [] : [{ patterns: inside, notPatterns: others }];
  });
}

function linesOf(methods: readonly string[] | undefined, pattern: string, world: World, say: Say): readonly string[] {
  if (methods?.length === 0) return [];
  const http = `${methods === undefined ? "ANY" : methods.join("|")} ${pattern}`;
  const grpc = methods === undefined || methods.includes("POST") ? grpcLines(pattern, world, say) : [];
  const upgrades = world.websocket && (methods === undefined || methods.includes("GET"));
  return [http, ...grpc, ...(upgrades ? [`websocket ${pattern}`] : [])];
}

/** gRPC lines for the calls that a path pattern reaches. */
function grpcLines(pattern: string, world: World, say: Say): readonly string[] {
  const exact = /^\/([A-Za-z_][\w.]*)\/([A-Za-z_]\w*)$/.exec(pattern);
  if (exact !== null) return [`grpc ${exact[1]}/${exact[2]}`];
  const service = /^\/([A-Za-z_][\w.]*)\/(?:\*\*|\{\w+\})$/.exec(pattern)?.[1];
  if (service !== undefined) return [`grpc ${service}/*`];
  const known = world.grpcServices.filter((one) => covers(pattern, `/${one}/{method}`));
  if (mayMeet(pattern, "/{service}/{method}")) say("narrower", GRPC_BY_SERVICE, "grpc");
  return known.map((one) => `grpc ${one}/*`);
}

/**
 * The lines of a deny, and what is spared of its wider reading. A path whose wider reading meets another of the paths stands
 * in lines of its own, since what is spared of it the other may mean.
 */
export function denyLines(selection: Selection, world: World, say: Say): readonly Lines[] {
  const { methods, notMethods, patterns, notPatterns } = selection;
  const kept = methods?.filter((method) => !notMethods.includes(method));
  if (kept?.length === 0) return [];
  const without = kept === undefined ? notMethods : [];
  const spared = [
    ...(kept?.includes("GET") === true && !kept.includes("HEAD") ? ["HEAD /**"] : []),
    ...without.flatMap((method) => linesOf([method], "/**", world, say)),
    ...notPatterns.flatMap((pattern) => linesOf(undefined, pattern, world, say)),
  ];
  const meets = (pattern: string): boolean => meetsOthers(pattern, patterns);
  const groups = [patterns.filter((one) => !meets(one)), ...patterns.filter(meets).map((one) => [one])];
  return groups
    .filter((group) => group.length > 0)
    .map((group) => ({
      requests: group.map((one) => `${kept === undefined ? "ANY" : kept.join("|")} ${one}`),
      except: [
        ...new Set([...slashesOf(group).flatMap((pattern) => linesOf(undefined, pattern, world, say)), ...spared]),
      ],
    }));
}

/** What a deny of patterns takes along that none of them means. */
function slashesOf(patterns: readonly string[]): readonly string[] {
  const beyond = patterns.flatMap((pattern) => deniedBeyond(pattern));
  return beyond.filter((one) => !patterns.some((pattern) => covers(pattern, one)));
}

/** Whether what a deny of a pattern takes along is in part, but not whole, what another pattern means. */
function meetsOthers(pattern: string, patterns: readonly string[]): boolean {
  return deniedBeyond(pattern).some((beyond) => {
    const others = patterns.filter((other) => other !== pattern && mayMeet(other, beyond));
    return others.length > 0 && !others.some((other) => covers(other, beyond));
  });
}
