import { VISIT } from "../../../compose/index.ts";
import type { LogRecord } from "../../../ext-authz/index.ts";
import { allowed, denied, refusedBySidecar } from "../expectations.ts";
import { appOf, type Chapter, type Finding, finding, type Stage, type Step } from "../step.ts";
import { NO_IDENTITY, requestBytes, straightAt } from "../straight-at.ts";

/** Who calls which method in Online Boutique: its twenty pairs. */
export const CALLS: readonly (readonly [caller: string, callee: string, method: string])[] = [
  ["frontend", "adservice", "AdService/GetAds"],
  ["frontend", "cartservice", "CartService/AddItem"],
  ["frontend", "cartservice", "CartService/EmptyCart"],
  ["frontend", "cartservice", "CartService/GetCart"],
  ["frontend", "checkoutservice", "CheckoutService/PlaceOrder"],
  ["frontend", "currencyservice", "CurrencyService/Convert"],
  ["frontend", "currencyservice", "CurrencyService/GetSupportedCurrencies"],
  ["frontend", "productcatalogservice", "ProductCatalogService/GetProduct"],
  ["frontend", "productcatalogservice", "ProductCatalogService/ListProducts"],
  ["frontend", "recommendationservice", "RecommendationService/ListRecommendations"],
  ["frontend", "shippingservice", "ShippingService/GetQuote"],
  ["checkoutservice", "cartservice", "CartService/EmptyCart"],
  ["checkoutservice", "cartservice", "CartService/GetCart"],
  ["checkoutservice", "currencyservice", "CurrencyService/Convert"],
  ["checkoutservice", "emailservice", "EmailService/SendOrderConfirmation"],
  ["checkoutservice", "paymentservice", "PaymentService/Charge"],
  ["checkoutservice", "productcatalogservice", "ProductCatalogService/GetProduct"],
  ["checkoutservice", "shippingservice", "ShippingService/GetQuote"],
  ["checkoutservice", "shippingservice", "ShippingService/ShipOrder"],
  ["recommendationservice", "productcatalogservice", "ProductCatalogService/ListProducts"],
];

const PORTS: ReadonlyMap<string, number> = new Map([
  ["cartservice", 7070],
  ["checkoutservice", 5050],
  ["currencyservice", 7000],
  ["emailservice", 8080],
  ["paymentservice", 50051],
  ["productcatalogservice", 3550],
  ["recommendationservice", 8080],
  ["shippingservice", 50051],
]);

const RECORDS_DEADLINE_MS = 5_000;
const GRPC = { "content-type": "application/grpc", te: "trailers" };

/** The visits of the load generator, and the calls that they lead to. */
export const visits: Chapter = {
  title: "What rules allow: a visit, page by page",
  steps: [
    ...VISIT.map((page): Step => {
      const [method = "", path = ""] = page.split(" ");
      return allowed({
        actor: "loadgenerator",
        title: `${page} at frontend`,
        destination: "frontend",
        rule: "load-visits",
        call: (stage) =>
          appOf(stage, "loadgenerator").http({
            socket: stage.mesh.callSocket("loadgenerator", "frontend"),
            method,
            path,
          }),
      });
    }),
    { actor: "visitor", title: "GET / at the front door, without a certificate", play: frontDoor },
    { actor: "everybody", title: "one more visit: the twenty pairs, and no other", play: everyPair },
  ],
};

/** Calls that Online Boutique does not make, through sidecars that would carry them. */
export const otherMethods: Chapter = {
  title: "Lateral movement: known callers, other methods",
  steps: [
    ["recommendationservice", "productcatalogservice", "ProductCatalogService/GetProduct"],
    ["checkoutservice", "productcatalogservice", "ProductCatalogService/ListProducts"],
    ["checkoutservice", "cartservice", "CartService/AddItem"],
    ["checkoutservice", "currencyservice", "CurrencyService/GetSupportedCurrencies"],
    ["frontend", "shippingservice", "ShippingService/ShipOrder"],
    ["frontend", "productcatalogservice", "ProductCatalogService/SearchProducts"],
  ].map(([actor = "", destination = "", method = ""]) =>
    denied({
      actor,
      title: `${method} at ${destination}`,
      destination,
      reason: "no-rule-matched",
      call: (stage) =>
        appOf(stage, actor).grpc({
          socket: stage.mesh.callSocket(actor, destination),
          method: `hipstershop.${method}`,
        }),
    }),
  ),
};

/** The ad service has been taken over: it has an identity, and calls everybody straight, past its own sidecar. */
export const takenOver: Chapter = {
  title: "Lateral movement: adservice was taken over, and calls everybody with its own certificate",
  steps: [
    ...[...PORTS].map(([destination, port]) => {
      const [, , method = ""] = CALLS.find(([, callee]) => callee === destination) ?? [];
      return denied({
        actor: "adservice",
        title: `${method} at ${destination}`,
        destination,
        reason: "no-rule-matched",
        call: fromAdservice(destination, port, requestBytes("POST", `/hipstershop.${method}`, GRPC)),
      });
    }),
    denied({
      actor: "adservice",
      title: "GET / at frontend, past the front door",
      destination: "frontend",
      reason: "no-rule-matched",
      call: fromAdservice("frontend", 8443, requestBytes("GET", "/")),
    }),
    deniedRedis(),
    refusedBySidecar({
      actor: "adservice",
      title: "Charge at paymentservice, in plaintext",
      destination: "paymentservice",
      kind: "connection-refused",
      reason: /plaintext/,
      call: straightAt({
        actor: "adservice",
        destination: "paymentservice",
        port: 50051,
        bytes: requestBytes("POST", "/hipstershop.PaymentService/Charge", GRPC),
        identity: NO_IDENTITY,
      }),
    }),
  ],
};

function deniedRedis(): Step {
  return {
    actor: "adservice",
    title: "GET of a cart at redis-cart, over TCP",
    play: async (stage) => {
      const before = (await appOf(stage, "redis-cart").received()).length;
      const mark = stage.mesh.records.mark();
      const result = await fromAdservice("redis-cart", 6379, "GET visitor\n")(stage);
      const record = await stage.mesh.records.waitFor(mark, isDecisionOf("boutique/redis-cart"), RECORDS_DEADLINE_MS);
      const arrived = (await appOf(stage, "redis-cart").received()).length - before;
      return finding(`closed, ${result.bytesReceived} bytes`, record?.reason ?? "no record", [
        record?.reason === "no-rule-matched" && result.bytesReceived === 0 && arrived === 0,
        "no byte, no connection, no-rule-matched",
      ]);
    },
  };
}

function fromAdservice(destination: string, port: number, bytes: string) {
  return straightAt({ actor: "adservice", destination, port, bytes });
}

async function frontDoor(stage: Stage): Promise<Finding> {
  const mark = stage.mesh.records.mark();
  const result = await appOf(stage, "loadgenerator").rawTls({
    host: stage.mesh.address("frontend"),
    port: 8080,
    bytes: requestBytes("GET", "/"),
  });
  const record = await stage.mesh.records.waitFor(mark, isDecisionOf("boutique/frontend"), RECORDS_DEADLINE_MS);
  return finding(`${result.status ?? result.error}`, `${record?.reason ?? "no record"}: anybody-visits`, [
    result.status === 200 && record?.kind === "decision" && record.rule === "anybody-visits",
    "rule anybody-visits",
  ]);
}

const isDecisionOf =
  (workload: string) =>
  (record: LogRecord): boolean =>
    record.kind === "decision" && record.workload === workload;

/** A visit's records, as pairs of caller and method: all of the twenty, and nothing but them. */
async function everyPair(stage: Stage): Promise<Finding> {
  const mark = stage.mesh.records.mark();
  const socket = stage.mesh.callSocket("loadgenerator", "frontend");
  for (const page of VISIT) {
    const [method = "", path = ""] = page.split(" ");
    await appOf(stage, "loadgenerator").http({ socket, method, path });
  }
  const wanted = new Set(CALLS.map(([caller, callee, method]) => `${caller} -> ${callee} ${method}`));
  const seen = (): Set<string> => new Set(stage.mesh.records.since(mark).flatMap(pairOf));
  await stage.mesh.records.waitFor(mark, () => [...wanted].every((pair) => seen().has(pair)), RECORDS_DEADLINE_MS);
  const missing = [...wanted].filter((pair) => !seen().has(pair));
  const others = [...seen()].filter((pair) => !wanted.has(pair));
  return finding(
    `${seen().size} pairs`,
    "allowed-by-rule, each",
    [missing.length === 0, missing.join(", ")],
    [others.length === 0, `not ${others.join(", ")}`],
  );
}

function pairOf(record: LogRecord): readonly string[] {
  if (record.kind !== "decision" || record.reason !== "allowed-by-rule") return [];
  const [, method] = /^\/hipstershop\.(\w+\/\w+)$/.exec(record.path ?? "") ?? [];
  if (method === undefined) return [];
  const caller = (record.caller ?? "").split("/").at(-1);
  return [`${caller} -> ${record.workload.split("/").at(-1)} ${method}`];
}
