import type { GrpcMethod } from "../app/grpc-server.ts";

/** Calls a method of a peer through the own sidecar; rejects where it fails. */
export type CallPeer = (
  peer: string,
  method: string,
  message?: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

/** One line to a peer with a line protocol. */
export type AskPeer = (peer: string, line: string) => Promise<string>;

/** What a service of the boutique may do to others. */
export interface Outside {
  readonly call: CallPeer;
  readonly ask: AskPeer;
}

/** A gRPC service of the boutique. */
export interface BoutiqueService {
  /** `hipstershop.CartService` */
  readonly name: string;
  readonly methods: (outside: Outside) => Readonly<Record<string, GrpcMethod>>;
}

const PRODUCTS = ["OLJCESPC7Z", "66VCHSJNUP", "1YMWWN1N4O", "L9ECAV7KIM"].map((id, index) => ({
  id,
  price_usd: { currency_code: "USD", units: 19 + index },
}));

const service = (name: string, methods: BoutiqueService["methods"]): BoutiqueService => ({
  name: `hipstershop.${name}`,
  methods,
});

/** The ten services but for the frontend, which speaks HTTP; their methods and who calls whom are those of Online Boutique. */
export const SERVICES: ReadonlyMap<string, BoutiqueService> = new Map([
  ["adservice", service("AdService", () => ({ GetAds: () => ({ ads: [{ text: "Tank top for sale. 20% off." }] }) }))],
  ["cartservice", service("CartService", ({ ask }) => cart((line) => ask("redis-cart", line)))],
  [
    "checkoutservice",
    service("CheckoutService", ({ call }) => ({ PlaceOrder: (request) => placeOrder(request, call) })),
  ],
  [
    "currencyservice",
    service("CurrencyService", () => ({
      GetSupportedCurrencies: () => ({ currency_codes: ["EUR", "USD", "JPY"] }),
      Convert: ({ from, to_code }) => ({ ...Object(from), currency_code: to_code }),
    })),
  ],
  ["emailservice", service("EmailService", () => ({ SendOrderConfirmation: () => ({}) }))],
  ["paymentservice", service("PaymentService", () => ({ Charge: () => ({ transaction_id: "b1a5" }) }))],
  [
    "productcatalogservice",
    service("ProductCatalogService", () => ({
      ListProducts: () => ({ products: PRODUCTS }),
      GetProduct: ({ id }) => PRODUCTS.find((product) => product.id === id) ?? {},
      SearchProducts: () => ({ results: PRODUCTS }),
    })),
  ],
  [
    "recommendationservice",
    service("RecommendationService", ({ call }) => ({
      ListRecommendations: async () => ({
        products: (await call("productcatalogservice", "ProductCatalogService/ListProducts")).products,
      }),
    })),
  ],
  [
    "shippingservice",
    service("ShippingService", () => ({
      GetQuote: () => ({ cost_usd: { currency_code: "USD", units: 8 } }),
      ShipOrder: () => ({ tracking_id: "cw-42" }),
    })),
  ],
]);

/** Carts live in Redis, one key a user. */
function cart(redis: (line: string) => Promise<string>): Readonly<Record<string, GrpcMethod>> {
  const items = async (user: unknown): Promise<readonly string[]> =>
    (await redis(`GET ${user}`)).split(",").filter((id) => id !== "");
  return {
    AddItem: async ({ user_id, product_id }) => {
      await redis(`SET ${user_id} ${[...(await items(user_id)), product_id].join(",")}`);
      return {};
    },
    GetCart: async ({ user_id }) => ({ user_id, items: (await items(user_id)).map((product_id) => ({ product_id })) }),
    EmptyCart: async ({ user_id }) => {
      await redis(`DEL ${user_id}`);
      return {};
    },
  };
}

async function placeOrder({ user_id }: Readonly<Record<string, unknown>>, call: CallPeer): Promise<unknown> {
  const cartOf = await call("cartservice", "CartService/GetCart", { user_id });
  const items = Array.isArray(cartOf.items) ? cartOf.items : [];
  for (const { product_id } of items) {
    const product = await call("productcatalogservice", "ProductCatalogService/GetProduct", { id: product_id });
    await call("currencyservice", "CurrencyService/Convert", { from: product.price_usd, to_code: "EUR" });
  }
  const quote = await call("shippingservice", "ShippingService/GetQuote", { items });
  await call("currencyservice", "CurrencyService/Convert", { from: quote.cost_usd, to_code: "EUR" });
  const { transaction_id } = await call("paymentservice", "PaymentService/Charge", { amount: quote.cost_usd });
  const { tracking_id } = await call("shippingservice", "ShippingService/ShipOrder", { items });
  await call("cartservice", "CartService/EmptyCart", { user_id });
  await call("emailservice", "EmailService/SendOrderConfirmation", { email: `${user_id}@shop.example` });
  return { order: { transaction_id, tracking_id, items } };
}
