import type { LedgerQuery } from "../../ca/index.ts";
import {
  authorityStatus,
  joinTokenRequest,
  joinTokenResponse,
  ledgerEntries,
  openReport,
  parseMessage,
  publishedPolicies,
  publishRequest,
  publishResponse,
  type RevokeRequest,
  revokeRequest,
  revokeResponse,
} from "../../protocol/index.ts";
import { AuthorityError } from "../authority-error.ts";
import { throwIfRefused } from "../refused-publish.ts";
import { audited, type Services } from "../services.ts";
import { ledgerQuery } from "./messages.ts";
import { ACTOR, requireApprover, requireParty, requirePublisher } from "./publisher-rights.ts";
import { type Call, get, json, post, type Route } from "./route.ts";

const PUBLISH_LIMIT_BYTES = 16 * 1024 * 1024;
const LEDGER_LIMIT = 100;

/** The routes of whoever holds the local admin token. */
export function adminRoutes(services: Services): readonly Route[] {
  return [
    publish(services),
    published(services),
    status(services),
    ledger(services),
    revoke(services),
    open(services),
    joinToken(services),
  ];
}

function publish({ publications }: Services): Route {
  return post({
    path: "/v1/policies",
    access: "publisher",
    summary:
      "Replaces the files of one source at once, or approves a publish that waits, or shows it; what has errors is refused and the last good set stays in force.",
    request: { name: "PublishRequest", schema: publishRequest, limitBytes: PUBLISH_LIMIT_BYTES },
    response: { kind: "json", name: "PublishResponse", schema: publishResponse },
    failures: [403, 404, 409, 422],
    async handle({ caller }, { files, dryRun, source, commit, approve }) {
      const { actor } = requireParty(caller);
      if (approve !== undefined) {
        requireApprover(caller, publications);
        return json(throwIfRefused(await publications.approve(approve, actor, { dryRun })));
      }
      requirePublisher(caller, source, publications);
      const options = { dryRun, source, ...(commit === undefined ? {} : { commit }) };
      return json(throwIfRefused(await publications.publish(files, actor, options)));
    },
  });
}

function published({ publications }: Services): Route {
  return get({
    path: "/v1/policies",
    access: "publisher",
    summary: "The files in force, each with the source that published it.",
    response: { kind: "json", name: "PublishedPolicies", schema: publishedPolicies },
    handle: () => json(publications.published),
  });
}

function status(services: Services): Route {
  return get({
    path: "/v1/status",
    access: "admin",
    summary: "What is in force, what was refused, and how far each node has come.",
    response: { kind: "json", name: "AuthorityStatus", schema: authorityStatus },
    handle: () => json(services.status()),
  });
}

function ledger({ ca }: Services): Route {
  return get({
    path: "/v1/ledger",
    access: "admin",
    summary: "What was issued and what was refused, newest first.",
    query: { schema: ledgerQuery },
    response: { kind: "json", name: "LedgerEntries", schema: ledgerEntries },
    failures: [400],
    async handle(call) {
      return json(await ca.ledger(readQuery(call)));
    },
  });
}

function readQuery(call: Call): LedgerQuery {
  const query = parseMessage(ledgerQuery, Object.fromEntries(call.query), "ledger query");
  const { before, identity, kind, limit, node, proof } = query;
  return {
    limit: limit === undefined ? LEDGER_LIMIT : Number(limit),
    ...(before === undefined ? {} : { before: Number(before) }),
    ...(identity === undefined ? {} : { identity }),
    ...(node === undefined ? {} : { node }),
    ...(kind === undefined ? {} : { kind }),
    ...(proof === undefined ? {} : { proof: true }),
  };
}

function revoke({ ca, clock, audit, metrics }: Services): Route {
  return post({
    path: "/v1/revocations",
    access: "admin",
    summary: "Revokes a certificate, an identity or a node.",
    request: { name: "RevokeRequest", schema: revokeRequest },
    response: { kind: "json", name: "RevokeResponse", schema: revokeResponse },
    failures: [404, 409],
    async handle(_call, body) {
      const { kind, subject } = revoked(body);
      const entry = { actor: ACTOR, action: "revoke", subject: `${kind} ${subject}`, detail: body.reason } as const;
      const answer = await audited({ audit, clock }, entry, () => ca.revoke(body, ACTOR));
      metrics.revocations.inc({ kind });
      return json(answer);
    },
  });
}

function open({ clock, nodes }: Services): Route {
  return get({
    path: "/v1/open",
    access: "admin",
    summary: "Streams and connections that callers have open, as each node told it last.",
    response: { kind: "json", name: "OpenReport", schema: openReport },
    handle() {
      const now = clock();
      return json({
        nodes: nodes.all().flatMap(({ node, report, told }) => {
          if (report === undefined || told === undefined) return [];
          // Of a node that is silent now, what it told of may still be open, until its end.
          const open = told.open.filter(({ until }) => new Date(until) > now);
          return [{ node, reportedAt: told.at.toISOString(), revocations: report.revocations, open }];
        }),
      });
    },
  });
}

function revoked(request: RevokeRequest): { readonly kind: "serial" | "identity" | "node"; readonly subject: string } {
  const named = (["serial", "identity", "node"] as const).flatMap((kind) => {
    const subject = request[kind];
    return subject === undefined ? [] : [{ kind, subject }];
  });
  const [only, ...others] = named;
  if (only !== undefined && others.length === 0) return only;
  throw new AuthorityError("ERR_AUTHORITY_BODY", "name exactly one of `serial`, `identity` and `node`");
}

function joinToken({ ca, clock, audit }: Services): Route {
  return post({
    path: "/v1/join-tokens",
    access: "admin",
    summary: "Makes a join token for a node: single use, short-lived.",
    request: { name: "JoinTokenRequest", schema: joinTokenRequest },
    response: { kind: "json", name: "JoinTokenResponse", schema: joinTokenResponse },
    failures: [404],
    async handle(_call, { node }) {
      const entry = { actor: ACTOR, action: "create-join-token", subject: `node ${node}` } as const;
      return json(await audited({ audit, clock }, entry, () => ca.createJoinToken(node)));
    },
  });
}
