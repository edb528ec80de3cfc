import { parseSpiffeId, parseTrustDomain } from "../../spiffe/index.ts";
import type {
  AccessPolicy,
  Call,
  CallerSelector,
  Listen,
  Matcher,
  Mesh,
  Protects,
  RequestLine,
  Rule,
  Sidecar,
  Span,
  Workload,
} from "../model/index.ts";
import type {
  Shard,
  ShardLine,
  ShardPolicy,
  ShardRule,
  ShardSelector,
  ShardSpan,
  ShardWorkload,
} from "./shard-schema.ts";

// The shapes have been checked by the schema; identities and trust domains are parsed here and throw `SpiffeError`.

/** The mesh's settings of a shard. */
export function meshFromShard(mesh: Shard["mesh"]): Mesh {
  return {
    trustDomain: parseTrustDomain(mesh.trustDomain),
    defaultMode: mesh.defaultMode,
    isolate: mesh.isolate,
    unregistered: "deny",
    federated: mesh.federated.map(parseTrustDomain),
    jwtProviders: new Map(mesh.jwtProviders),
  };
}

/** The destination's own workload, whole. */
export function workloadFromShard(workload: ShardWorkload): Workload {
  const { runsOn, sidecar } = workload;
  return {
    namespace: workload.namespace,
    name: workload.name,
    labels: new Map(workload.labels),
    identity: parseSpiffeId(workload.identity),
    mode: workload.mode,
    ...(runsOn && { runsOn: "labels" in runsOn ? { labels: matchersFromShard(runsOn.labels) } : runsOn }),
    attest: workload.attest,
    ...(sidecar && { sidecar: sidecarFromShard(sidecar) }),
    paths: workload.paths,
    span: spanFromShard(workload.span),
  };
}

function sidecarFromShard(sidecar: NonNullable<ShardWorkload["sidecar"]>): Sidecar {
  const { probes, address, foreignCalls, keepOverrideHeaders, checkHeaders } = sidecar;
  return {
    address,
    listens: sidecar.listens.map(listenFromShard),
    calls: sidecar.calls.map((call): Call => ({ ...call, span: spanFromShard(call.span) })),
    ...(foreignCalls && {
      foreignCalls: foreignCalls.map(({ identity, span, ...call }) => ({
        ...call,
        identity: parseSpiffeId(identity),
        span: spanFromShard(span),
      })),
    }),
    ...(probes && { probes }),
    keepOverrideHeaders,
    checkHeaders,
  };
}

function listenFromShard(listen: NonNullable<ShardWorkload["sidecar"]>["listens"][number]): Listen {
  const { appProtocol, serverCertificate, span, ...rest } = listen;
  return {
    ...rest,
    ...(appProtocol && { appProtocol }),
    ...(serverCertificate !== undefined && { serverCertificate }),
    span: spanFromShard(span),
  };
}

/** What a shard knows of a caller: its name, and the labels that the shard's rules ask for. */
export function callerFromShard(
  caller: Shard["callers"][number],
  labels: ReadonlyMap<string, string>,
  mesh: Mesh,
): Workload {
  return {
    namespace: caller.namespace,
    name: caller.name,
    labels,
    identity: parseSpiffeId(caller.identity),
    mode: mesh.defaultMode,
    attest: [],
    paths: { caseInsensitive: false, matrixParameters: "reject" },
    span: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
  };
}

/** A policy, with the destinations among those of the shards that it protects. */
export function policyFromShard(
  policy: ShardPolicy,
  destinations: readonly string[],
  labelled: readonly string[],
): AccessPolicy {
  const { protects, owner } = policy;
  const read: Protects = {
    ...(protects.workload && { workload: protects.workload }),
    ...(protects.labels && { labels: matchersFromShard(protects.labels) }),
    namespaces: protects.namespaces,
  };
  return {
    namespace: policy.namespace,
    name: policy.name,
    stage: policy.stage,
    action: policy.action,
    ...(owner !== undefined && { owner }),
    protects: read,
    destinations,
    labelled,
    allow: policy.allow.map(ruleFromShard),
    deny: policy.deny.map(ruleFromShard),
    span: spanFromShard(policy.span),
  };
}

function ruleFromShard(rule: ShardRule): Rule {
  const { from, requests, hosts, ports, jwt, notBefore, notAfter, except, reason, review } = rule;
  return {
    effect: rule.effect,
    name: rule.name,
    ...(from && { from: from.map(selectorFromShard) }),
    ...(requests && { requests: requests.map(lineFromShard) }),
    ...(hosts && { hosts }),
    ...(ports && { ports }),
    headers: matchersFromShard(rule.headers),
    query: matchersFromShard(rule.query),
    ...(jwt && { jwt: { ...jwt, claims: matchersFromShard(jwt.claims) } }),
    ...(notBefore !== undefined && { notBefore: new Date(notBefore) }),
    ...(notAfter !== undefined && { notAfter: new Date(notAfter) }),
    ...(except && {
      except: {
        ...(except.from && { from: except.from.map(selectorFromShard) }),
        ...(except.requests && { requests: except.requests.map(lineFromShard) }),
      },
    }),
    across: rule.across,
    always: rule.always,
    ...(reason !== undefined && { reason }),
    ...(review !== undefined && { review }),
    span: spanFromShard(rule.span),
  };
}

function selectorFromShard(selector: ShardSelector): CallerSelector {
  const { workload, labels, namespace, spiffe, trustDomain, anyone, addresses } = selector;
  return {
    ...(workload && { workload }),
    ...(labels && { labels: matchersFromShard(labels) }),
    ...(namespace !== undefined && { namespace }),
    ...(spiffe && { spiffe: { id: parseSpiffeId(spiffe.id), descendants: spiffe.descendants } }),
    ...(trustDomain !== undefined && { trustDomain: parseTrustDomain(trustDomain) }),
    ...(anyone && { anyone }),
    ...(addresses && { addresses }),
    span: spanFromShard(selector.span),
  };
}

function lineFromShard(line: ShardLine): RequestLine {
  return { ...line, span: spanFromShard(line.span) };
}

function matchersFromShard(pairs: readonly (readonly [string, Matcher])[]): ReadonlyMap<string, Matcher> {
  return new Map(pairs);
}

function spanFromShard([file, line, column, endLine, endColumn]: ShardSpan): Span {
  return { file, line, column, endLine, endColumn };
}
