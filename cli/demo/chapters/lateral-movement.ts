import { denied, deniedConnection } from "../expectations.ts";
import { appOf, type Chapter } from "../step.ts";

function http(from: string, method: string, path: string, headers: Readonly<Record<string, string>> = {}) {
  return (stage: Parameters<Parameters<typeof denied>[0]["call"]>[0]) =>
    appOf(stage, from).http({ socket: stage.mesh.callSocket(from, "orders"), method, path, headers });
}

/** The plain attempts: another's calls, with the own identity. */
export const lateralMovement: Chapter = {
  title: "Lateral movement, through the own sidecar",
  steps: [
    denied({
      actor: "intruder",
      title: "GET /orders/42 at orders: the wrong identity",
      destination: "orders",
      reason: "no-rule-matched",
      call: http("intruder", "GET", "/orders/42"),
    }),
    denied({
      actor: "web",
      title: "DELETE /orders/42 at orders: the wrong method",
      destination: "orders",
      reason: "no-rule-matched",
      call: http("web", "DELETE", "/orders/42"),
    }),
    denied({
      actor: "web",
      title: "GET /invoices/42 at orders: the wrong path",
      destination: "orders",
      reason: "no-rule-matched",
      call: http("web", "GET", "/invoices/42"),
    }),
    denied({
      actor: "intruder",
      title: "GET /admin/users at orders: where a deny stands",
      destination: "orders",
      reason: "denied-by-rule",
      call: http("intruder", "GET", "/admin/users"),
    }),
    denied({
      actor: "intruder",
      title: "GET /orders/42 with forged x-cellwall-caller and XFCC",
      destination: "orders",
      reason: "no-rule-matched",
      call: http("intruder", "GET", "/orders/42", {
        "x-cellwall-caller": "spiffe://shop.example/shop/web",
        "x-forwarded-client-cert": "URI=spiffe://shop.example/shop/web",
      }),
    }),
    deniedConnection({
      actor: "intruder",
      title: "a query at db, over TCP",
      destination: "db",
      reason: "no-rule-matched",
      call: (stage) =>
        appOf(stage, "intruder").tcp({ socket: stage.mesh.callSocket("intruder", "db"), line: "GET 42" }),
    }),
  ],
};
