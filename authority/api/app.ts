import type { IncomingMessage } from "node:http";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { AuthorityError } from "../authority-error.ts";
import type { WaitingRoom } from "../waiting-room.ts";
import { answerFailure } from "./failing.ts";
import { guardHost } from "./host-guard.ts";
import { COMMON_HEADERS } from "./json-answer.ts";
import { matchesEtag, preferredWaitSeconds } from "./preconditions.ts";
import type { Call, Caller, Reply, Route } from "./route.ts";

/** The longest a request is held. */
export const MAX_WAIT_SECONDS = 120;

/** What the HTTP side needs of the authority. */
export interface AppOptions {
  readonly routes: readonly Route[];
  /** Host names, beside the loopback's, that loopback connections may name. */
  readonly names: ReadonlySet<string>;
  readonly waitingRoom: WaitingRoom;
  /** Checks the caller's proof; throws `AuthorityError`. */
  identify(route: Route, request: IncomingMessage): Promise<Caller>;
  /** Told of every answer. */
  answered(route: string, status: number, code: string | undefined): void;
  /** Told of what nobody expected. */
  unexpected(error: unknown): void;
}

/** The express app of a route table. Every answer that is not a route's own is an `apiError` in JSON. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("case sensitive routing", true);
  app.set("strict routing", true);
  app.use((request, response, next) => {
    response.set(COMMON_HEADERS);
    guardHost(
      { localAddress: request.socket.localAddress, host: request.headers.host, origin: request.headers.origin },
      options.names,
    );
    next();
  });
  for (const route of options.routes) mount(app, route, options);
  refuseOtherMethods(app, options.routes);
  app.use((request: Request) => {
    throw new AuthorityError("ERR_AUTHORITY_NOT_FOUND", "there is no such resource", {
      hint: request.path.startsWith("/v1/") ? "GET /v1/openapi.json lists the API" : "the API lies under `/v1`",
    });
  });
  // Express tells what takes errors by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    const { route }: { route?: string } = response.locals;
    if (!answerFailure(error, { response, route }, options)) next(error);
  });
  return app;
}

/** The express form of an OpenAPI path. */
export function expressPath(path: string): string {
  return path.replaceAll(/\{([A-Za-z0-9]+)\}/g, ":$1");
}

function mount(app: Express, route: Route, options: AppOptions): void {
  const readers = route.request === undefined ? [] : [requireJson, express.json({ limit: route.request.limitBytes })];
  // SECURITY: the caller is identified before a byte of the body is read.
  const identify = async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    response.locals.caller = await options.identify(route, request);
    response.locals.route = route.path;
    next();
  };
  app[route.method](expressPath(route.path), identify, ...readers, async (request, response) => {
    const call = callOf(await options.identify(route, request), request);
    if (route.longPoll === true) await answerConditionally(route, { call, request, response }, options);
    else answer(route, await route.handle(call, request.body), response, options);
  });
}

function requireJson(request: Request, _response: Response, next: NextFunction): void {
  if (typeof request.is("application/json") !== "string") {
    throw new AuthorityError("ERR_AUTHORITY_MEDIA_TYPE", "the request's body must be `application/json`");
  }
  next();
}

function callOf(caller: Caller, request: Request): Call {
  const query = new Map<string, string>();
  for (const [name, value] of Object.entries(request.query)) {
    if (typeof value !== "string") {
      throw new AuthorityError("ERR_AUTHORITY_QUERY", `the query parameter \`${name}\` may be given once`);
    }
    query.set(name, value);
  }
  const params = new Map(Object.entries(request.params).map(([name, value]) => [name, String(value)]));
  return { caller, params, query };
}

interface Exchange {
  readonly call: Call;
  readonly request: Request;
  readonly response: Response;
}

/** Answers a read with its entity tag: 304 where the client has it, held first where the client prefers to wait. */
async function answerConditionally(route: Route, exchange: Exchange, options: AppOptions): Promise<void> {
  const { call, request, response } = exchange;
  const waitSeconds = preferredWaitSeconds(request.get("prefer"), MAX_WAIT_SECONDS);
  if (waitSeconds > 0) {
    response.set("Preference-Applied", `wait=${waitSeconds}`);
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    await options.waitingRoom.hold({
      caller: callerKey(call.caller),
      timeoutMs: waitSeconds * 1000,
      changed: () => !isKnown(route, exchange),
      signal: gone.signal,
    });
    if (gone.signal.aborted) return;
  }
  // SECURITY: a wait may outlast the caller's rights, so they are looked at again.
  const caller = await options.identify(route, request);
  answer(route, await route.handle({ ...call, caller }, undefined), response, options, request.get("if-none-match"));
}

/** Whether the client has all there is: the entity with that tag, or the knowledge that there is none yet. */
function isKnown(route: Route, { call, request }: Exchange): boolean {
  try {
    const reply = route.handle(call, undefined);
    if (reply instanceof Promise) return false;
    return "etag" in reply && reply.etag !== undefined && matchesEtag(request.get("if-none-match"), reply.etag);
  } catch (error) {
    return error instanceof AuthorityError && error.code === "ERR_AUTHORITY_NO_BUNDLE";
  }
}

function callerKey(caller: Caller): string {
  if (caller.kind === "publisher") return caller.actor;
  return caller.kind === "agent" ? `agent/${caller.node}` : caller.kind;
}

function answer(route: Route, reply: Reply, response: Response, options: AppOptions, ifNoneMatch?: string): void {
  const etag = "etag" in reply ? reply.etag : undefined;
  if (etag !== undefined) response.set({ ETag: `"${etag}"`, "Cache-Control": "private, no-cache" });
  if (etag !== undefined && matchesEtag(ifNoneMatch, etag)) {
    options.answered(route.path, 304, undefined);
    response.status(304).end();
    return;
  }
  const status = reply.kind === "json" ? (reply.status ?? 200) : 200;
  options.answered(route.path, status, undefined);
  send(reply, response.status(status));
}

function send(reply: Reply, response: Response): void {
  switch (reply.kind) {
    case "json":
      response.json(reply.body);
      return;
    case "bytes":
      if (reply.immutable) response.set("Cache-Control", "private, max-age=31536000, immutable");
      response.type("application/octet-stream").send(Buffer.from(reply.bytes));
      return;
    case "text":
      response.type(reply.contentType).send(reply.text);
      return;
    default:
      reply satisfies never;
  }
}

function refuseOtherMethods(app: Express, routes: readonly Route[]): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    const allowed = methods.includes("GET") ? [...methods, "HEAD"] : methods;
    app.all(expressPath(path), (request, response) => {
      response.set("Allow", allowed.join(", "));
      throw new AuthorityError(
        "ERR_AUTHORITY_METHOD",
        `\`${path}\` takes ${allowed.join(", ")}, not ${request.method}`,
      );
    });
  }
}
