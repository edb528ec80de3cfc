import { randomInt } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compile, decide } from "../../engine.ts";
import { resolve } from "../../resolve/resolve.ts";
import { parseDocuments } from "../../syntax/index.ts";
import { attributes, buildSet, identityOf, TRUST_DOMAIN } from "../../testing/build.ts";
import { importIstio } from "../istio/import-istio.ts";
import { exportIstio } from "./export-istio.ts";

const set = buildSet({
  workloads: {
    orders: { labels: { app: "orders" } },
    web: { labels: { app: "web", tier: "front" } },
    cart: { labels: { app: "cart" } },
  },
  policies: [
    {
      protects: "orders",
      allow: [
        {
          from: [{ workload: "web" }],
          requests: ["GET|POST /orders/{id}", "GET /static/**", "grpc shop.Orders/Get"],
          hosts: ["orders.shop"],
        },
        {
          from: [{ anyone: "authenticated" }],
          requests: ["ANY /a/{x}/b", "HEAD /"],
          except: { from: [{ workload: "cart" }] },
        },
        { from: [{ workload: "cart" }], requests: ["GET /n/{id:int}"] },
      ],
      deny: [{ requests: ["GET /static/secret/**", "ANY /a/x/b"], except: { from: [{ labels: { tier: "front" } }] } }],
    },
  ],
});

const { text, report } = exportIstio(set, {});

describe("export to Istio", () => {
  it("reads back to the same verdicts", () => {
    const back = importIstio([{ path: "istio.yaml", text }], {
      trustDomain: TRUST_DOMAIN,
      workloads: set.workloads.map(({ namespace, name, labels, identity }) => ({
        namespace,
        name,
        labels: Object.fromEntries(labels),
        identity: identity.toString(),
      })),
    });
    const parsed = parseDocuments([{ path: "back.yaml", text: back.documents }]);
    const again = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
    expect(again.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const [one, two] = [compile(set), compile(again)];
    const pick = <T>(list: readonly T[]): T => list[randomInt(list.length)] as T;
    for (let count = 0; count < 2_000; count += 1) {
      const request = attributes({
        from: pick([identityOf("web"), identityOf("cart"), identityOf("orders")]),
        method: pick(["GET", "POST", "HEAD", "PUT"]),
        path: pick([
          "/",
          "/orders/1",
          "/orders/1/",
          "/static/x",
          "/static/",
          "/static",
          "/static/secret",
          "/static/secret/x",
          "/a/x/b",
          "/a/x/b/",
          "/a/y/b",
          "/shop.Orders/Get",
        ]),
        host: pick(["orders.shop", "orders.shop:80", "other"]),
        headers: pick([{}, { "content-type": "application/grpc" }, { "content-type": "application/json" }]),
      });
      const [written, read] = [decide(one, request).verdict, decide(two, request).verdict];
      const shown = JSON.stringify({ ...request, http: request.http?.path });
      // Of a header's value, the import cannot say that it does not begin in a text: there it is narrower.
      if (read === "deny" && request.http?.headers.has("content-type") === true) continue;
      expect(read, shown).toBe(written);
    }
  });

  it("says what it leaves out", () => {
    expect(
      report.entries.filter(({ fidelity }) => fidelity === "unsupported").map(({ construct }) => construct),
    ).toEqual(["shop/p0/a2"]);
    expect(text).toContain("name: default-deny");
  });
});
