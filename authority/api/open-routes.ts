import { AuthorityError } from "../authority-error.ts";
import type { Services } from "../services.ts";
import { health, openApi, readiness } from "./messages.ts";
import { type OpenApiDocument, openApiDocument } from "./openapi.ts";
import { get, json, type Route } from "./route.ts";

/** Health, readiness and metrics: for probes and scrapers, without a word about workloads. */
export function openRoutes({ ca, metrics, waitingRoom, ready }: Services): readonly Route[] {
  return [
    get({
      path: "/healthz",
      access: "open",
      summary: "The process answers.",
      response: { kind: "json", name: "Health", schema: health },
      handle: () => json({ status: "ok" }),
    }),
    get({
      path: "/readyz",
      access: "open",
      summary: "Requests are served.",
      response: { kind: "json", name: "Readiness", schema: readiness },
      failures: [503],
      handle() {
        if (!ready()) throw new AuthorityError("ERR_AUTHORITY_CLOSING", "the authority is not serving");
        const manifest = ca.bundle()?.manifest;
        const bundle = manifest === undefined ? {} : { bundle: { epoch: manifest.epoch, revision: manifest.revision } };
        return json({ status: "ready", ...bundle });
      },
    }),
    get({
      path: "/metrics",
      access: "open",
      summary: "Metrics in Prometheus' text format.",
      response: { kind: "text", contentType: metrics.registry.contentType },
      async handle() {
        metrics.waiting.set(waitingRoom.size);
        metrics.revocationsSequence.set(ca.revocations().document.sequence);
        return { kind: "text", contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
      },
    }),
  ];
}

/** The route that gives the document of all routes, itself included. */
export function openApiRoute(others: readonly Route[], version: string): Route {
  let document: OpenApiDocument | undefined;
  const route: Route = get({
    path: "/v1/openapi.json",
    access: "admin",
    summary: "This document.",
    response: { kind: "json", name: "OpenApi", schema: openApi },
    handle() {
      document ??= openApiDocument([...others, route], version);
      return json(document);
    },
  });
  return route;
}
