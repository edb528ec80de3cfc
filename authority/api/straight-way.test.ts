import { createServer, request as httpRequest, type RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { AuthorityError } from "../authority-error.ts";
import { WaitingRoom } from "../waiting-room.ts";
import { type AppOptions, createApp } from "./app.ts";
import { get, json, post, type Route } from "./route.ts";
import { straightWay } from "./straight-way.ts";

const word = z.strictObject({ word: z.string() });
const shape = { kind: "json", name: "Word", schema: word } as const;
const LIMIT_BYTES = 64;

const common = { access: "agent", summary: "", response: shape } as const;
const request = { name: "Word", schema: word, limitBytes: LIMIT_BYTES };

const ROUTES: readonly Route[] = [
  post({ ...common, path: "/v1/echo", request, handle: (_call, body) => json(body) }),
  post({
    ...common,
    path: "/v1/broken",
    request,
    handle() {
      throw new Error("the secret reason");
    },
  }),
  post({
    ...common,
    path: "/v1/refused",
    request,
    async handle() {
      throw new AuthorityError("ERR_AUTHORITY_FORBIDDEN", "not you", { hint: "ask somebody – else" });
    },
  }),
  post({ ...common, path: "/v1/open", access: "open", request, handle: (_call, body) => json(body) }),
  get({ ...common, path: "/v1/word", handle: () => json({ word: "read" }) }),
];

interface Told {
  readonly route: string;
  readonly status: number;
  readonly code: string | undefined;
}

function optionsFor(told: Told[], identify: AppOptions["identify"]): AppOptions {
  return {
    routes: ROUTES,
    names: new Set(),
    waitingRoom: new WaitingRoom({ maxWaiting: 1, maxPerCaller: 1 }),
    identify,
    answered: (route, status, code) => told.push({ route, status, code }),
    unexpected: (error) => told.push({ route: String(error), status: 0, code: undefined }),
  };
}

const agent: AppOptions["identify"] = async () => ({ kind: "agent", node: "host-1", serial: "1" });

/** Says who calls as often as it is told to, and then that nobody does. */
function knownTimes(times: number): AppOptions["identify"] {
  let left = times;
  return async (...asked) => {
    left -= 1;
    if (left < 0) throw new AuthorityError("ERR_AUTHORITY_UNAUTHENTICATED", "who are you");
    return agent(...asked);
  };
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  closing.push(
    () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return address.port;
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

function send(port: number, { body = '{"word":"hi"}', headers = {}, method = "POST", path = "/v1/echo" }: Sent) {
  const own = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)), ...headers };
  const sent = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== ""));
  return new Promise<Answered>((resolve, reject) => {
    const call = httpRequest({ host: "127.0.0.1", port, path, method, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { date: _, ...kept } = response.headers;
        resolve({ status: response.statusCode, headers: kept, text: Buffer.concat(chunks).toString() });
      });
    });
    call.once("error", reject).end(body);
  });
}

/** The answer of both ways to one request, and what they told. */
async function bothWays(sent: Sent, identify: () => AppOptions["identify"] = () => agent) {
  const [told, toldByApp]: [Told[], Told[]] = [[], []];
  let left = false;
  const options = optionsFor(told, identify());
  const app = createApp(options);
  const straight = straightWay(options, (...exchange) => {
    left = true;
    app(...exchange);
  });
  const answer = await send(await serve(straight), sent);
  const byApp = await send(await serve(createApp(optionsFor(toldByApp, identify()))), sent);
  return { straight: { ...answer, told }, app: { ...byApp, told: toldByApp }, left };
}

const STRAIGHT: readonly [what: string, sent: Sent, status: number][] = [
  ["a good call", {}, 200],
  ["a good call with more than ASCII", { body: '{"word":"ü–😀"}' }, 200],
  ["a body with a byte order mark", { body: '\ufeff{"word":"hi"}' }, 200],
  ["bytes that are not UTF-8", { body: Buffer.from('{"word":"\xff"}', "latin1") }, 200],
  ["a body that is not JSON", { body: '{"word":' }, 400],
  ["a body that is a text", { body: '"word"' }, 400],
  ["a body that is nothing", { body: "null" }, 400],
  ["a body of white space", { body: " \n" }, 400],
  ["a body that is a list", { body: '[{"word":"hi"}]' }, 400],
  ["a body of another shape", { body: '{"word":1}' }, 400],
  ["a body with a key too many", { body: '{"word":"a","__proto__":1}' }, 400],
  ["a body exactly at the limit", { body: `{"word":"${"a".repeat(LIMIT_BYTES - 11)}"}` }, 200],
  ["another host's name", { headers: { host: "evil.example" } }, 421],
  ["another origin's page", { headers: { origin: "https://evil.example" } }, 403],
  ["a refusal", { path: "/v1/refused" }, 403],
  ["an unexpected failure", { path: "/v1/broken" }, 500],
];

const LEFT: readonly [what: string, sent: Sent, status: number][] = [
  ["an unknown path", { path: "/v1/nothing" }, 404],
  ["a route that is not an agent's", { path: "/v1/open" }, 200],
  ["a query", { path: "/v1/echo?a=1" }, 200],
  ["a path with a slash more", { path: "/v1/echo/" }, 404],
  ["an encoded path", { path: "/v1/%65cho" }, 404],
  ["another method", { method: "PUT" }, 405],
  ["a route that reads", { path: "/v1/word", method: "GET", body: "", headers: { "content-length": "" } }, 200],
  ["a body over the limit", { body: `{"word":"${"a".repeat(LIMIT_BYTES)}"}` }, 413],
  ["an empty body", { body: "" }, 400],
  ["a body of no stated length", { headers: { "content-length": "", "transfer-encoding": "chunked" } }, 200],
  ["a body without a type", { headers: { "content-type": "" } }, 415],
  ["a body of another type", { headers: { "content-type": "text/plain" } }, 415],
  ["a stated character set", { headers: { "content-type": "application/json; charset=utf-8" } }, 200],
  ["a character set that JSON has not", { headers: { "content-type": "application/json; charset=latin1" } }, 415],
  ["a compressed body", { body: gzipSync('{"word":"hi"}'), headers: { "content-encoding": "gzip" } }, 200],
];

describe("straightWay", () => {
  it.each(STRAIGHT)("answers %s itself, as the framework would", async (_what, sent, status) => {
    const { app, left, straight } = await bothWays(sent);
    expect(left).toBe(false);
    expect(straight).toEqual(app);
    expect(straight.status).toBe(status);
    expect(straight.text).not.toMatch(/secret|\.ts:\d/);
  });

  it.each(LEFT)("leaves %s to the framework", async (_what, sent, status) => {
    const { app, left, straight } = await bothWays(sent);
    expect(left).toBe(true);
    expect(straight).toEqual(app);
    expect(straight.status).toBe(status);
  });

  it.each([
    ["at its head", 0, "other"],
    ["once its body is there", 1, "/v1/echo"],
  ])("refuses a caller that is nobody %s", async (_when, times, route) => {
    const { app, left, straight } = await bothWays({}, () => knownTimes(times));
    expect([left, straight.status]).toEqual([false, 401]);
    expect(straight).toEqual(app);
    expect(straight.told).toEqual([{ route, status: 401, code: "ERR_AUTHORITY_UNAUTHENTICATED" }]);
  });

  it("does not wait for the body of a caller that is nobody", async () => {
    const told: Told[] = [];
    const port = await serve(straightWay(optionsFor(told, knownTimes(0)), () => {}));
    const status = await new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": "20" };
      const call = httpRequest({ host: "127.0.0.1", port, path: "/v1/echo", method: "POST", headers });
      call.once("response", (response) => resolve(response.statusCode)).once("error", reject);
      call.flushHeaders();
    });
    expect(status).toBe(401);
  });

  it("gives up a call whose body ends early", async () => {
    const told: Told[] = [];
    const gone = new Promise<void>((resolve) => {
      const options = optionsFor(told, agent);
      const answered: AppOptions["answered"] = (...answer) => {
        options.answered(...answer);
        resolve();
      };
      void serve(straightWay({ ...options, answered }, () => {})).then((port) => {
        const headers = { "content-type": "application/json", "content-length": "20" };
        const call = httpRequest({ host: "127.0.0.1", port, path: "/v1/echo", method: "POST", headers });
        call.on("error", () => {});
        call.write("{", () => call.destroy());
      });
    });
    await gone;
    expect(told).toEqual([{ route: "/v1/echo", status: 400, code: "ERR_AUTHORITY_BODY" }]);
  });
});
