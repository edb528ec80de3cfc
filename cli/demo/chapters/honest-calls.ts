import { allowed } from "../expectations.ts";
import { appOf, type Chapter } from "../step.ts";

const toOrders = (stage: Parameters<Parameters<typeof allowed>[0]["call"]>[0], from: string): string =>
  stage.mesh.callSocket(from, "orders");

/** The calls that the shop lives on. */
export const honestCalls: Chapter = {
  title: "What rules allow",
  steps: [
    allowed({
      actor: "web",
      title: "GET /orders/42 at orders, which asks db",
      destination: "orders",
      rule: "web-reads-orders",
      call: (stage) => appOf(stage, "web").http({ socket: toOrders(stage, "web"), method: "GET", path: "/orders/42" }),
      arrives: ({ result }) => result.body.includes("two cell walls"),
    }),
    allowed({
      actor: "web",
      title: "POST /orders at orders, as JSON",
      destination: "orders",
      rule: "web-places-orders",
      call: (stage) =>
        appOf(stage, "web").http({
          socket: toOrders(stage, "web"),
          method: "POST",
          path: "/orders",
          headers: { "content-type": "application/json" },
          body: '{"item":7}',
        }),
    }),
    allowed({
      actor: "orders",
      title: "a query at db, over TCP",
      destination: "db",
      rule: "orders-queries",
      call: (stage) => appOf(stage, "orders").tcp({ socket: stage.mesh.callSocket("orders", "db"), line: "GET 7" }),
      arrives: ({ result }) => result.body === "a hedge\n",
    }),
    allowed({
      actor: "intruder",
      title: "GET /status/live at orders, as an honest member may",
      destination: "orders",
      rule: "shop-reads-status",
      call: (stage) =>
        appOf(stage, "intruder").http({ socket: toOrders(stage, "intruder"), method: "GET", path: "/status/live" }),
    }),
  ],
};
