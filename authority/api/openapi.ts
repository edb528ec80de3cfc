import { z } from "zod";
import { apiError } from "../../protocol/index.ts";
import { HTTP_STATUS } from "../authority-error.ts";
import type { Access, ResponseShape, Route } from "./route.ts";

/** An OpenAPI 3.1 document, as far as we write it. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Record<string, Record<string, unknown>>;
  readonly components: { readonly schemas: Record<string, unknown>; readonly securitySchemes: Record<string, unknown> };
}

/** The document of a route table: one source for the checks at run time and for what is published. */
export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const schemas: Record<string, unknown> = { ApiError: schemaOf(apiError) };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    if (route.request !== undefined) schemas[route.request.name] = schemaOf(route.request.schema, "input");
    if (route.response.kind === "json") schemas[route.response.name] = schemaOf(route.response.schema);
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Cellwall authority",
      version,
      description:
        "Identities, signed policy bundles and revocations for agents; publishing and status for administrators.",
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        agent: {
          type: "mutualTLS",
          description: "An agent's certificate, `spiffe://<trust domain>/cellwall/agent/<node>`.",
        },
        admin: { type: "http", scheme: "bearer", description: "The local admin token, over loopback only." },
        publisher: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "An OIDC token of a team's publisher or of an approver.",
        },
      },
    },
  };
}

function schemaOf(schema: z.ZodType, io: "input" | "output" = "output"): unknown {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

const reference = (name: string): unknown => ({ $ref: `#/components/schemas/${name}` });

function operation(route: Route): Record<string, unknown> {
  return {
    summary: route.summary,
    operationId: operationId(route),
    security: security(route.access),
    parameters: parameters(route),
    ...(route.request === undefined
      ? {}
      : {
          requestBody: { required: true, content: { "application/json": { schema: reference(route.request.name) } } },
        }),
    responses: responses(route),
  };
}

function operationId(route: Route): string {
  return `${route.method}_${route.path.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_|_$/g, "")}`;
}

function security(access: Access): readonly Record<string, readonly string[]>[] {
  if (access === "publisher") return [{ admin: [] }, { publisher: [] }];
  return access === "open" ? [] : [{ [access]: [] }];
}

function parameters(route: Route): readonly unknown[] {
  const inPath = [...route.path.matchAll(/\{([A-Za-z0-9]+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = route.query === undefined ? [] : queryParameters(route.query.schema);
  const headers = route.longPoll === true ? [header("If-None-Match"), header("Prefer")] : [];
  return [...inPath, ...query, ...headers];
}

function queryParameters(schema: z.ZodType): readonly unknown[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema: each,
  }));
}

function header(name: string): unknown {
  return { name, in: "header", required: false, schema: { type: "string" } };
}

function responses(route: Route): Record<string, unknown> {
  const failed = { description: "refused", content: { "application/json": { schema: reference("ApiError") } } };
  const codes = new Set([...impliedFailures(route), ...(route.failures ?? [])]);
  return {
    "200": { description: "done", content: content(route.response) },
    ...(route.longPoll === true ? { "304": { description: "unchanged" } } : {}),
    ...Object.fromEntries([...codes].sort().map((code) => [String(code), failed])),
  };
}

function impliedFailures(route: Route): readonly number[] {
  const access = { open: [], agent: [401, HTTP_STATUS.ERR_AUTHORITY_REVOKED], admin: [401], publisher: [401, 403] }[
    route.access
  ];
  return [
    ...access,
    ...(route.request === undefined ? [] : [400, 413, 415]),
    HTTP_STATUS.ERR_AUTHORITY_HOST,
    HTTP_STATUS.ERR_AUTHORITY_ORIGIN,
  ];
}

function content(response: ResponseShape): Record<string, unknown> {
  switch (response.kind) {
    case "json":
      return { "application/json": { schema: reference(response.name) } };
    case "bytes":
      return { "application/octet-stream": {} };
    case "text":
      return { [response.contentType]: {} };
    default:
      return response satisfies never;
  }
}
