import { allowed, denied, refusedBySidecar } from "../expectations.ts";
import { ofOwnAuthority, signedWith } from "../forged-identities.ts";
import { appOf, type Chapter, type FederatedStage, type Stage } from "../step.ts";
import { NO_IDENTITY, requestBytes, straightAt } from "../straight-at.ts";

const GATEWAY = "spiffe://pay.example/pay/gateway";
const PORT = 8443;

/** A call through the actor's own sidecar. */
export function through(
  actor: string,
  callee: string,
  request: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const [method = "", path = ""] = request.split(" ");
  return (stage: Stage) =>
    appOf(stage, actor).http({ socket: stage.mesh.callSocket(actor, callee), method, path, headers });
}

/** The calls that the two live on, in both directions. */
export const federatedCalls: Chapter<FederatedStage> = {
  title: "What rules allow: across the border, by the foreign identity",
  steps: [
    allowed({
      actor: "checkout",
      title: "POST /charges at gateway, of pay.example",
      destination: "gateway",
      rule: "checkout-charges",
      call: through("checkout", "gateway", "POST /charges"),
      arrives: ({ result }) => result.body.includes('"ledger":200,"orders":200'),
    }),
    allowed({
      actor: "gateway",
      title: "PUT /orders/42/payment at orders, of store.example",
      destination: "orders",
      rule: "pay-confirms",
      call: through("gateway", "orders", "PUT /orders/42/payment"),
      arrives: ({ arrived }) => arrived.every(({ headers }) => headers?.["x-cellwall-caller"] === GATEWAY),
    }),
    allowed({
      actor: "gateway",
      title: "POST /entries at ledger, within pay.example",
      destination: "ledger",
      rule: "gateway-books",
      call: through("gateway", "ledger", "POST /entries"),
    }),
    allowed({
      actor: "helpdesk",
      title: "GET /charges/42/receipt at gateway, as it honestly may",
      destination: "gateway",
      rule: "helpdesk-reads-receipts",
      call: through("helpdesk", "gateway", "GET /charges/42/receipt"),
    }),
  ],
};

/** Identities that the other side believes, and no line names for this. */
export const lateralAcross: Chapter<FederatedStage> = {
  title: "Lateral movement across the border, with honest identities",
  steps: [
    denied({
      actor: "helpdesk",
      title: "POST /charges at gateway: the wrong identity of the store",
      destination: "gateway",
      reason: "no-rule-matched",
      call: through("helpdesk", "gateway", "POST /charges"),
    }),
    denied({
      actor: "checkout",
      title: "DELETE /charges/42 at gateway: the wrong method",
      destination: "gateway",
      reason: "no-rule-matched",
      call: through("checkout", "gateway", "DELETE /charges/42"),
    }),
    denied({
      actor: "gateway",
      title: "GET /orders/42 at orders: the provider looks around",
      destination: "orders",
      reason: "no-rule-matched",
      call: through("gateway", "orders", "GET /orders/42"),
    }),
    denied({
      actor: "helpdesk",
      title: "POST /charges with forged x-cellwall-caller and XFCC",
      destination: "gateway",
      reason: "no-rule-matched",
      call: through("helpdesk", "gateway", "POST /charges", {
        "x-cellwall-caller": "spiffe://store.example/store/checkout",
        "x-forwarded-client-cert": "URI=spiffe://store.example/store/checkout",
      }),
    }),
    denied({
      actor: "helpdesk",
      title: "GET /charges/42/receipt/../../7, straight at gateway",
      destination: "gateway",
      reason: "no-rule-matched",
      call: fromHelpdesk("gateway", requestBytes("GET", "/charges/42/receipt/../../7")),
    }),
    refusedBySidecar({
      actor: "helpdesk",
      title: "POST /entries straight at ledger, which names no store",
      destination: "ledger",
      kind: "connection-refused",
      reason: /untrusted-certificate/,
      call: fromHelpdesk("ledger", requestBytes("POST", "/entries")),
    }),
  ],
};

/** Certificates that say what their authority has no say in. */
export const forgedAcross: Chapter<FederatedStage> = {
  title: "Forged identities, straight at the provider",
  steps: [
    refused("GET /charges/42 at gateway in plaintext", "gateway", /plaintext/, NO_IDENTITY),
    refused("a certificate of a trust domain nobody federates", "gateway", /untrusted-certificate/, (stage) =>
      ofOwnAuthority(stage, "helpdesk", "spiffe://elsewhere.example/store/checkout"),
    ),
    refused("one that says checkout, self-made", "gateway", /untrusted-certificate/, (stage) =>
      ofOwnAuthority(stage, "helpdesk", "spiffe://store.example/store/checkout"),
    ),
    refused("one that says gateway, self-made", "ledger", /untrusted-certificate/, (stage) =>
      ofOwnAuthority(stage, "helpdesk", GATEWAY),
    ),
    refused("one that says ledger, of the store's authority", "gateway", /untrusted-certificate/, (stage) =>
      signedWith(stage.storeKeys, stage, "helpdesk", ["spiffe://pay.example/pay/ledger"]),
    ),
    refused("one that says gateway, of the store's authority", "ledger", /untrusted-certificate/, (stage) =>
      signedWith(stage.storeKeys, stage, "helpdesk", [GATEWAY]),
    ),
    denied({
      actor: "helpdesk",
      caller: "ghost",
      title: "one that says ghost, of the store's authority, at gateway",
      destination: "gateway",
      reason: "no-rule-matched",
      call: straightAt<FederatedStage>({
        actor: "helpdesk",
        destination: "gateway",
        port: PORT,
        bytes: requestBytes("POST", "/charges"),
        identity: (stage) => signedWith(stage.storeKeys, stage, "helpdesk", ["spiffe://store.example/store/ghost"]),
      }),
    }),
  ],
};

function fromHelpdesk(destination: string, bytes: string) {
  return straightAt<FederatedStage>({ actor: "helpdesk", destination, port: PORT, bytes });
}

function refused(
  title: string,
  destination: string,
  reason: RegExp,
  identity: NonNullable<Parameters<typeof straightAt<FederatedStage>>[0]["identity"]>,
) {
  return refusedBySidecar<FederatedStage>({
    actor: "helpdesk",
    title: `${title}${title.startsWith("GET") ? "" : `, at ${destination}`}`,
    destination,
    kind: "connection-refused",
    reason,
    call: straightAt({
      actor: "helpdesk",
      destination,
      port: PORT,
      bytes: requestBytes("GET", "/charges/42"),
      identity,
    }),
  });
}
