import type { CallPeer } from "./services.ts";

type Page = (call: CallPeer, id: string) => Promise<unknown>;

const USER = { user_id: "visitor" };

/** The frontend's pages: what each asks of which service is what Online Boutique's frontend asks. */
const PAGES: readonly (readonly [RegExp, Page])[] = [
  [/^GET \/$/, home],
  [/^GET \/product\/([A-Z0-9]+)$/, product],
  [/^GET \/cart$/, cart],
  [/^POST \/cart$/, addToCart],
  [/^POST \/cart\/empty$/, (call) => call("cartservice", "CartService/EmptyCart", USER)],
  [/^POST \/cart\/checkout$/, checkout],
  [/^(?:POST \/setCurrency|GET \/logout|GET \/_healthz)$/, async () => ({})],
];

/** Answers `<method> <path>`; undefined where there is no such page. Rejects where a service fails. */
export async function frontendPage(request: string, call: CallPeer): Promise<unknown> {
  for (const [pattern, page] of PAGES) {
    const match = pattern.exec(request);
    if (match !== null) return page(call, match[1] ?? "");
  }
  return undefined;
}

async function home(call: CallPeer): Promise<unknown> {
  await call("currencyservice", "CurrencyService/GetSupportedCurrencies");
  const { products } = await call("productcatalogservice", "ProductCatalogService/ListProducts");
  await call("cartservice", "CartService/GetCart", USER);
  await call("currencyservice", "CurrencyService/Convert", { from: { units: 1 }, to_code: "EUR" });
  const { ads } = await call("adservice", "AdService/GetAds");
  return { products, ads };
}

async function product(call: CallPeer, id: string): Promise<unknown> {
  const found = await call("productcatalogservice", "ProductCatalogService/GetProduct", { id });
  await call("cartservice", "CartService/GetCart", USER);
  const price = await call("currencyservice", "CurrencyService/Convert", { from: found.price_usd, to_code: "EUR" });
  const recommended = await call("recommendationservice", "RecommendationService/ListRecommendations", USER);
  await call("adservice", "AdService/GetAds");
  return { ...found, price, recommended: recommended.products };
}

async function cart(call: CallPeer): Promise<unknown> {
  await call("currencyservice", "CurrencyService/GetSupportedCurrencies");
  const { items } = await call("cartservice", "CartService/GetCart", USER);
  await call("recommendationservice", "RecommendationService/ListRecommendations", USER);
  const quote = await call("shippingservice", "ShippingService/GetQuote", { items });
  return { items, shipping: quote.cost_usd };
}

async function addToCart(call: CallPeer): Promise<unknown> {
  const [product_id] = ["OLJCESPC7Z"];
  await call("productcatalogservice", "ProductCatalogService/GetProduct", { id: product_id });
  return call("cartservice", "CartService/AddItem", { ...USER, product_id });
}

async function checkout(call: CallPeer): Promise<unknown> {
  const placed = await call("checkoutservice", "CheckoutService/PlaceOrder", USER);
  await call("recommendationservice", "RecommendationService/ListRecommendations", USER);
  return placed;
}
