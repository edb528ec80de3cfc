import type { CallerSelector, RequestLine, Rule } from "../model/index.ts";
import type { Subject } from "./subject.ts";

/** Whether an entry of `from` lets every registered caller in, or every address there is. */
export function isEveryone(selector: CallerSelector, { set }: Subject): boolean {
  const { workload, labels, spiffe, trustDomain, anyone, addresses } = selector;
  if (workload !== undefined || labels !== undefined || trustDomain !== undefined || anyone === "anonymous")
    return false;
  if (addresses !== undefined && !addresses.some(({ prefixLength }) => prefixLength === 0)) return false;
  return spiffe === undefined || isWholeDomain(spiffe, set.mesh.trustDomain);
}

function isWholeDomain({ id, descendants }: NonNullable<CallerSelector["spiffe"]>, own: string): boolean {
  return descendants && id.path === "" && id.trustDomain === own;
}

/** Whether a line of an allow covers every path: of HTTP requests, of upgrades to WebSocket. */
export function isEveryPath(line: RequestLine): boolean {
  if (line.kind !== "http" && line.kind !== "websocket") return false;
  return line.path.segments.length === 1 && line.path.segments[0]?.kind === "rest";
}

/** Whether a line covers every HTTP request, or every connection. */
export function isEveryRequest(line: RequestLine): boolean {
  if (line.kind === "tcp") return line.port === "*";
  return line.kind === "http" && line.methods === "ANY" && isEveryPath(line);
}

/** Whether a rule asks for nothing beside caller and request line. */
export function isUnconditional(rule: Rule): boolean {
  const { hosts, ports, headers, query, jwt, except } = rule;
  const nothing = hosts === undefined && ports === undefined && jwt === undefined && except === undefined;
  return nothing && headers.size === 0 && query.size === 0;
}

/** Whether this line of this rule lets everyone do everything: `any-any` says so, and the narrower lints keep quiet. */
export function isAnyAny(rule: Rule, line: RequestLine, subject: Subject): boolean {
  return isEveryRequest(line) && isUnconditional(rule) && (rule.from ?? []).some((entry) => isEveryone(entry, subject));
}
