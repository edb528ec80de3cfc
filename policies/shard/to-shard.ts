import type { AccessPolicy, CallerSelector, Mesh, RequestLine, Rule, Sidecar, Span, Workload } from "../model/index.ts";
import type {
  Shard,
  ShardLine,
  ShardPolicy,
  ShardRule,
  ShardSelector,
  ShardSpan,
  ShardWorkload,
} from "./shard-schema.ts";

/** The mesh's settings as JSON. */
export function meshToShard(mesh: Mesh): Shard["mesh"] {
  return {
    trustDomain: mesh.trustDomain,
    defaultMode: mesh.defaultMode,
    isolate: [...mesh.isolate],
    federated: [...mesh.federated],
    jwtProviders: [...mesh.jwtProviders].map(([name, { issuer, audiences, jwks }]) => [
      name,
      { issuer, audiences: [...audiences], jwks },
    ]),
  };
}

/** A workload as JSON, whole. */
export function workloadToShard(workload: Workload): ShardWorkload {
  const { runsOn, sidecar } = workload;
  return {
    namespace: workload.namespace,
    name: workload.name,
    labels: [...workload.labels],
    identity: workload.identity.toString(),
    mode: workload.mode,
    ...(runsOn && { runsOn: "labels" in runsOn ? { labels: matchersToShard(runsOn.labels) } : runsOn }),
    attest: [...workload.attest],
    ...(sidecar && { sidecar: sidecarToShard(sidecar) }),
    paths: workload.paths,
    span: spanToShard(workload.span),
  };
}

function sidecarToShard(sidecar: Sidecar): NonNullable<ShardWorkload["sidecar"]> {
  const { probes } = sidecar;
  return {
    address: sidecar.address,
    listens: sidecar.listens.map((listen) => ({
      ...listen,
      upgrades: [...listen.upgrades],
      span: spanToShard(listen.span),
    })),
    calls: sidecar.calls.map((call) => ({ ...call, span: spanToShard(call.span) })),
    ...(sidecar.foreignCalls && {
      foreignCalls: sidecar.foreignCalls.map((call) => ({
        ...call,
        identity: call.identity.toString(),
        span: spanToShard(call.span),
      })),
    }),
    ...(probes && { probes: { port: probes.port, paths: [...probes.paths] } }),
    keepOverrideHeaders: [...sidecar.keepOverrideHeaders],
    checkHeaders: [...sidecar.checkHeaders],
  };
}

/** A policy as one destination's shard carries it. */
export function policyToShard(policy: AccessPolicy, destination: string, labelled: string[]): ShardPolicy {
  const { protects, owner } = policy;
  return {
    namespace: policy.namespace,
    name: policy.name,
    stage: policy.stage,
    action: policy.action,
    ...(owner !== undefined && { owner }),
    protects: {
      ...(protects.workload && { workload: protects.workload }),
      ...(protects.labels && { labels: matchersToShard(protects.labels) }),
      namespaces: protects.namespaces === "*" ? "*" : [...protects.namespaces],
    },
    protectsDestination: policy.destinations.includes(destination),
    labelled,
    allow: policy.allow.map(ruleToShard),
    deny: policy.deny.map(ruleToShard),
    span: spanToShard(policy.span),
  };
}

function ruleToShard(rule: Rule): ShardRule {
  const { from, requests, hosts, ports, jwt, notBefore, notAfter, except, reason, review } = rule;
  return {
    effect: rule.effect,
    name: rule.name,
    ...(from && { from: from.map(selectorToShard) }),
    ...(requests && { requests: requests.map(lineToShard) }),
    ...(hosts && { hosts: [...hosts] }),
    ...(ports && { ports: [...ports] }),
    headers: matchersToShard(rule.headers),
    query: matchersToShard(rule.query),
    ...(jwt && {
      jwt: { provider: jwt.provider, scopes: [...jwt.scopes], claims: matchersToShard(jwt.claims) },
    }),
    ...(notBefore && { notBefore: notBefore.toISOString() }),
    ...(notAfter && { notAfter: notAfter.toISOString() }),
    ...(except && {
      except: {
        ...(except.from && { from: except.from.map(selectorToShard) }),
        ...(except.requests && { requests: except.requests.map(lineToShard) }),
      },
    }),
    across: [...rule.across],
    always: rule.always,
    ...(reason !== undefined && { reason }),
    ...(review !== undefined && { review }),
    span: spanToShard(rule.span),
  };
}

function selectorToShard(selector: CallerSelector): ShardSelector {
  const { workload, labels, namespace, spiffe, trustDomain, anyone, addresses } = selector;
  return {
    ...(workload && { workload }),
    ...(labels && { labels: matchersToShard(labels) }),
    ...(namespace !== undefined && { namespace }),
    ...(spiffe && { spiffe: { id: spiffe.id.toString(), descendants: spiffe.descendants } }),
    ...(trustDomain !== undefined && { trustDomain }),
    ...(anyone && { anyone }),
    ...(addresses && { addresses: addresses.map((cidr) => ({ ...cidr, bytes: [...cidr.bytes] })) }),
    span: spanToShard(selector.span),
  };
}

function lineToShard(line: RequestLine): ShardLine {
  const span = spanToShard(line.span);
  switch (line.kind) {
    case "http":
      return {
        ...line,
        methods: line.methods === "ANY" ? "ANY" : [...line.methods],
        path: pathToShard(line.path),
        span,
      };
    case "websocket":
      return { ...line, path: pathToShard(line.path), span };
    case "grpc":
    case "tcp":
      return { ...line, span };
  }
}

function pathToShard(
  path: Extract<RequestLine, { kind: "http" }>["path"],
): Extract<ShardLine, { kind: "http" }>["path"] {
  return { text: path.text, segments: [...path.segments] };
}

function matchersToShard(matchers: Rule["headers"]): ShardRule["headers"] {
  return [...matchers].map(([key, matcher]) => [
    key,
    "values" in matcher ? { ...matcher, values: [...matcher.values] } : matcher,
  ]);
}

function spanToShard(span: Span): ShardSpan {
  return [span.file, span.line, span.column, span.endLine, span.endColumn];
}
