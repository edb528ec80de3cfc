import { createHash } from "node:crypto";
import {
  acknowledgement,
  enrolRequest,
  enrolResponse,
  issuedCertificate,
  jwtSvidsRequest,
  jwtSvidsResponse,
  nodeWorkloads,
  parseJoinToken,
  renewRequest,
  signedEnvelope,
  svidsRequest,
  svidsResponse,
  trustBundles,
} from "../../protocol/index.ts";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { AuthorityError } from "../authority-error.ts";
import { foreignBundlesFor } from "../federation/bundles-for-node.ts";
import { audited, type Services } from "../services.ts";
import { nodeStatusReport } from "./messages.ts";
import { type Call, get, json, post, type Reply, type Route } from "./route.ts";

/** A thousand PKCS#10 requests for P-256 keys, with room to spare. */
const SVIDS_LIMIT_BYTES = 2 * 1024 * 1024;

/** What 4,096 sidecars have to say. */
const STATUS_LIMIT_BYTES = 4 * 1024 * 1024;

/** The routes that agents call: joining, certificates, and what they decide by. */
export function agentRoutes(services: Services): readonly Route[] {
  return [
    enrol(services),
    renew(services),
    svids(services),
    jwtSvids(services),
    nodeStatus(services),
    probe(services),
    ...reads(services),
  ];
}

function enrol({ ca, clock, audit, metrics, nodes }: Services): Route {
  return post({
    path: "/v1/enrol",
    access: "open",
    summary: "Joins a node: a join token for an agent's first certificate.",
    request: { name: "EnrolRequest", schema: enrolRequest },
    response: { kind: "json", name: "EnrolResponse", schema: enrolResponse },
    failures: [401, 403],
    async handle(_call, body) {
      const subject = `join token ${parseJoinToken(body.token).id}`;
      const issued = await audited({ audit, clock }, { actor: "anybody", action: "enrol", subject }, () =>
        ca.enrol(body),
      );
      metrics.issued.inc({ kind: "agent" });
      nodes.seen(issued.node, clock(), new Date(issued.certificate.notAfter));
      return json(issued);
    },
  });
}

function renew({ ca, metrics }: Services): Route {
  return post({
    path: "/v1/renew",
    access: "agent",
    summary: "Renews an agent's certificate.",
    request: { name: "RenewRequest", schema: renewRequest },
    response: { kind: "json", name: "EnrolResponse", schema: enrolResponse },
    async handle(call, body) {
      const issued = await ca.renewAgent(...agentOf(call, body));
      metrics.issued.inc({ kind: "agent" });
      return json(issued);
    },
  });
}

function svids({ ca, metrics }: Services): Route {
  return post({
    path: "/v1/svids",
    access: "agent",
    summary: "Issues certificates for workloads that may run on the agent's node; all or none.",
    request: { name: "SvidsRequest", schema: svidsRequest, limitBytes: SVIDS_LIMIT_BYTES },
    response: { kind: "json", name: "SvidsResponse", schema: svidsResponse },
    async handle(call, body) {
      const issued = await ca.issueSvids(...agentOf(call, body));
      metrics.issued.inc({ kind: "x509-svid" }, issued.certificates.length);
      return json(issued);
    },
  });
}

function jwtSvids({ ca, metrics }: Services): Route {
  return post({
    path: "/v1/jwt-svids",
    access: "agent",
    summary: "Issues tokens for workloads that may run on the agent's node; all or none.",
    request: { name: "JwtSvidsRequest", schema: jwtSvidsRequest, limitBytes: SVIDS_LIMIT_BYTES },
    response: { kind: "json", name: "JwtSvidsResponse", schema: jwtSvidsResponse },
    async handle(call, body) {
      const issued = await ca.issueJwtSvids(...agentOf(call, body));
      metrics.issued.inc({ kind: "jwt-svid" }, issued.tokens.length);
      return json(issued);
    },
  });
}

function nodeStatus({ ca, clock, nodes }: Services): Route {
  return post({
    path: "/v1/node/status",
    access: "agent",
    summary: "An agent says what it has applied.",
    request: { name: "NodeStatusReport", schema: nodeStatusReport, limitBytes: STATUS_LIMIT_BYTES },
    response: { kind: "json", name: "Acknowledgement", schema: acknowledgement },
    handle(call, body) {
      const { open = [], trust, ...applied } = body;
      nodes.reported(nodeOf(call), applied, { at: clock(), open });
      if (trust !== undefined) ca.reportTrust(nodeOf(call), trust);
      return json({ ok: true });
    },
  });
}

function probe({ ca }: Services): Route {
  return post({
    path: "/v1/node/probe",
    access: "agent",
    summary: "A certificate of the authority that is about to sign, to try a handshake with each sidecar.",
    request: { name: "RenewRequest", schema: renewRequest },
    response: { kind: "json", name: "IssuedCertificate", schema: issuedCertificate },
    failures: [409],
    async handle(call, body) {
      return json(await ca.issueProbe(...agentOf(call, body)));
    },
  });
}

function reads({ ca, foreign, publications }: Services): readonly Route[] {
  return [
    get({
      path: "/v1/node/workloads",
      access: "agent",
      summary: "The workloads that the agent's node may run.",
      response: { kind: "json", name: "NodeWorkloads", schema: nodeWorkloads },
      longPoll: true,
      handle: (call) => tagged(ca.workloadsOf(nodeOf(call))),
    }),
    get({
      path: "/v1/trust-bundles",
      access: "agent",
      summary: "The trust bundle of this trust domain, and of federated ones that lines of the node's workloads name.",
      response: { kind: "json", name: "TrustBundles", schema: trustBundles },
      longPoll: true,
      handle: (call) =>
        tagged({
          trustDomain: ca.trustDomain,
          bundles: {
            ...foreignBundlesFor(ca.workloadsOf(nodeOf(call)), publications.set, foreign),
            [ca.trustDomain]: formatTrustBundle(ca.trustBundle()),
          },
          ...ca.trustNotice(),
        }),
    }),
    get({
      path: "/v1/bundle",
      access: "agent",
      summary: "The signed manifest of the policy bundle in force.",
      response: { kind: "json", name: "SignedEnvelope", schema: signedEnvelope },
      failures: [404],
      longPoll: true,
      handle: () => tagged(bundleOf(ca).envelope),
    }),
    get({
      path: "/v1/bundle/shards/{sha256}",
      access: "agent",
      summary: "One shard of a policy bundle, by the SHA-256 of its bytes.",
      response: { kind: "bytes" },
      failures: [404],
      handle: (call) => shard(ca, call.params.get("sha256") ?? ""),
    }),
    get({
      path: "/v1/revocations",
      access: "agent",
      summary: "The signed list of what is revoked.",
      response: { kind: "json", name: "SignedEnvelope", schema: signedEnvelope },
      longPoll: true,
      handle: () => tagged(ca.revocations().envelope),
    }),
  ];
}

function bundleOf(ca: Services["ca"]): NonNullable<ReturnType<Services["ca"]["bundle"]>> {
  const bundle = ca.bundle();
  if (bundle !== undefined) return bundle;
  throw new AuthorityError("ERR_AUTHORITY_NO_BUNDLE", "nothing was published yet", {
    hint: "publish a set with `cellwall publish DIR`",
  });
}

function shard(ca: Services["ca"], sha256: string): Reply {
  const bytes = /^[0-9a-f]{64}$/.test(sha256) ? ca.shard(sha256) : undefined;
  if (bytes === undefined) throw new AuthorityError("ERR_AUTHORITY_NOT_FOUND", "there is no such shard");
  return { kind: "bytes", bytes, etag: sha256, immutable: true };
}

const tags = new WeakMap<object, string>();

/** A JSON answer whose entity tag is a digest of it, computed once an object. */
function tagged(body: object): Reply {
  const known = tags.get(body) ?? createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 32);
  tags.set(body, known);
  return json(body, { etag: known });
}

function agentOf<Body>(call: Call, body: Body): [node: string, body: Body, serial: string] {
  if (call.caller.kind !== "agent") throw new TypeError("an agent's route was reached by another caller");
  return [call.caller.node, body, call.caller.serial];
}

function nodeOf(call: Call): string {
  if (call.caller.kind !== "agent") throw new TypeError("an agent's route was reached by another caller");
  return call.caller.node;
}
