import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

/** A document that is served: made anew for each request. */
export type DocumentSource = () => string;

/**
 * Serves JSON documents by their exact paths, to anybody, by GET and HEAD; nothing else lies there. Answers are UTF-8
 * `application/json` (SPIFFE Federation, section 5.1).
 */
export function documentServer(documents: ReadonlyMap<string, DocumentSource>): RequestListener {
  return (request, response) => {
    const path = (request.url ?? "").replace(/[?].*$/, "");
    const document = documents.get(path);
    if (document === undefined) return fail(response, 404, "there is no such document");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return fail(response, 405, "documents are read by GET");
    }
    answer(request, response, document);
  };
}

function answer(request: IncomingMessage, response: ServerResponse, document: DocumentSource): void {
  const body = Buffer.from(document(), "utf8");
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(body.length),
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function fail(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(JSON.stringify({ error: { message } }));
}
