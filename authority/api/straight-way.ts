import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { AuthorityError } from "../authority-error.ts";
import type { AppOptions } from "./app.ts";
import { answerFailure } from "./failing.ts";
import { guardHost } from "./host-guard.ts";
import { answerJson } from "./json-answer.ts";
import type { Route } from "./route.ts";

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A route that takes JSON and answers JSON, by its agents' identity. */
type PlainRoute = Route & { readonly request: NonNullable<Route["request"]> };

const NOTHING: ReadonlyMap<string, string> = new Map();

/**
 * Answers agents' posts of the plainest form itself and leaves every other request to `rest`, the web framework, which would be a third of
 * what a certificate costs. INVARIANT: whichever of the two answers, it says the same.
 */
export function straightWay(options: AppOptions, rest: RequestListener): RequestListener {
  const routes = new Map(options.routes.filter(isStraight).map((route) => [route.path, route]));
  return (request, response) => {
    const route = routes.get(request.url ?? "");
    if (route === undefined || !isPlain(request, route.request.limitBytes)) rest(request, response);
    else void answer(route, { request, response }, options);
  };
}

function isStraight(route: Route): route is PlainRoute {
  return route.access === "agent" && route.request !== undefined && route.response.kind === "json";
}

/** JSON in UTF-8, as long as its head says, which is not too long. */
function isPlain({ headers, method }: IncomingMessage, limitBytes: number): boolean {
  const length = Number(headers["content-length"] ?? 0);
  return (
    method === "POST" &&
    headers["content-type"] === "application/json" &&
    headers["content-encoding"] === undefined &&
    headers["transfer-encoding"] === undefined &&
    length > 0 &&
    length <= limitBytes
  );
}

async function answer(route: PlainRoute, { request, response }: Exchange, options: AppOptions): Promise<void> {
  let known: string | undefined;
  try {
    guardHost(
      { localAddress: request.socket.localAddress, host: request.headers.host, origin: request.headers.origin },
      options.names,
    );
    // SECURITY: the caller is identified before a byte of the body is read, and again once it is there: reading may outlast its rights.
    await options.identify(route, request);
    known = route.path;
    const body = parseJson(await readBody(request));
    const caller = await options.identify(route, request);
    const reply = await route.handle({ caller, params: NOTHING, query: NOTHING }, body);
    if (reply.kind !== "json") throw new TypeError(`\`${route.path}\` answers other than JSON`);
    const { body: answered, status = 200 } = reply;
    options.answered(route.path, status, undefined);
    answerJson(response, status, answered);
  } catch (error) {
    if (!answerFailure(error, { response, route: known }, options)) response.destroy();
  }
}

/** As much as the head has said: the server takes no more. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => resolve(Buffer.concat(chunks)));
    // A call that ends early is an error here.
    request.once("error", () => reject(notJson()));
  });
}

const BYTE_ORDER_MARK = /^\ufeff/;

/** An object or a list; `ERR_AUTHORITY_BODY`. */
function parseJson(bytes: Buffer): object {
  const text = bytes.toString("utf8").replace(BYTE_ORDER_MARK, "");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notJson();
  }
  if (typeof value !== "object" || value === null) throw notJson();
  return value;
}

function notJson(): AuthorityError {
  return new AuthorityError("ERR_AUTHORITY_BODY", "the request's body is not JSON");
}
