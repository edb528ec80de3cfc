import { z } from "zod";
import {
  caStatus,
  importRequest,
  ledgerCheck,
  revocationListsMessage,
  rotateRequest,
  signingRequest,
} from "../../protocol/index.ts";
import { revocationListToPem } from "../../spiffe/index.ts";
import { audited, type Services } from "../services.ts";
import { ACTOR } from "./publisher-rights.ts";
import { get, json, post, type Route } from "./route.ts";

const nothing = z.strictObject({});
const IMPORT_LIMIT_BYTES = 256 * 1024;

/** The routes about the certificate authority itself, for whoever holds the local admin token. */
export function caRoutes(services: Services): readonly Route[] {
  return [
    status(services),
    lists(services),
    rotate(services),
    request(services),
    bring(services),
    checkLedger(services),
  ];
}

function status({ ca }: Services): Route {
  return get({
    path: "/v1/ca/status",
    access: "admin",
    summary: "What expires when, who holds what, and who has not confirmed what.",
    response: { kind: "json", name: "CaStatus", schema: caStatus },
    handle: async () => json(await ca.status()),
  });
}

function request({ ca, clock, audit }: Services): Route {
  return post({
    path: "/v1/ca/requests",
    access: "admin",
    summary: "Makes a key for an intermediate and a request to have it signed elsewhere.",
    request: { name: "SigningRequestRequest", schema: nothing },
    response: { kind: "json", name: "SigningRequest", schema: signingRequest },
    async handle() {
      const entry = { actor: ACTOR, action: "rotate", subject: "request for an intermediate" } as const;
      return json({ request: await audited({ audit, clock }, entry, () => ca.request()) });
    },
  });
}

function bring({ ca, clock, audit }: Services): Route {
  return post({
    path: "/v1/ca/imports",
    access: "admin",
    summary: "Takes a root and an intermediate that were made elsewhere, and goes on as in a rotation.",
    request: { name: "ImportRequest", schema: importRequest, limitBytes: IMPORT_LIMIT_BYTES },
    response: { kind: "json", name: "CaStatus", schema: caStatus },
    failures: [409],
    async handle(_call, { chain, root, reason }) {
      const entry = { actor: ACTOR, action: "rotate", subject: "imported", detail: reason } as const;
      return json(await audited({ audit, clock }, entry, () => ca.bring({ root, chain })));
    },
  });
}

function checkLedger({ ca }: Services): Route {
  return get({
    path: "/v1/ledger/check",
    access: "admin",
    summary: "Walks the ledger's hash chain, and on to the last entry that is known outside of the database.",
    response: { kind: "json", name: "LedgerCheck", schema: ledgerCheck },
    handle: async () => json(await ca.verifyLedger()),
  });
}

function lists({ ca }: Services): Route {
  return get({
    path: "/v1/ca/crl",
    access: "admin",
    summary: "Revocation lists (CRLs) of every authority, in PEM.",
    response: { kind: "json", name: "RevocationLists", schema: revocationListsMessage },
    handle() {
      const all = ca.revocationLists();
      const [first] = all;
      const until = first === undefined ? {} : { until: first.until.toISOString() };
      return json({ lists: all.map(({ der }) => revocationListToPem(der)), ...until });
    },
  });
}

function rotate({ ca, clock, audit }: Services): Route {
  return post({
    path: "/v1/ca/rotations",
    access: "admin",
    summary: "Begins to replace a signing authority; it comes into use once every live sidecar has confirmed it.",
    request: { name: "RotateRequest", schema: rotateRequest },
    response: { kind: "json", name: "CaStatus", schema: caStatus },
    failures: [409],
    async handle(_call, order) {
      const subject = `${order.what}${order.compromised ? ", compromised" : ""}${order.force ? ", by force" : ""}`;
      const entry = { actor: ACTOR, action: "rotate", subject, detail: order.reason } as const;
      return json(await audited({ audit, clock }, entry, () => ca.rotate(order)));
    },
  });
}
