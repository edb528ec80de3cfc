import supertest from "supertest";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { apiError } from "../../protocol/index.ts";
import { AuthorityError } from "../authority-error.ts";
import { WaitingRoom } from "../waiting-room.ts";
import { type AppOptions, createApp } from "./app.ts";
import { get, json, post, type Route } from "./route.ts";

const word = z.strictObject({ word: z.string() });
const shape = { kind: "json", name: "Word", schema: word } as const;

/** An app over a document that changes, and an echo; what was told and held can be looked at. */
function appWith(overrides: Partial<AppOptions> = {}) {
  let document: string | undefined = "first";
  const waitingRoom = new WaitingRoom({ maxWaiting: 10, maxPerCaller: 10 });
  const told: { route: string; status: number; code: string | undefined }[] = [];
  const unexpected: unknown[] = [];
  const routes: readonly Route[] = [
    post({
      path: "/v1/echo",
      access: "open",
      summary: "",
      request: { name: "Word", schema: word, limitBytes: 64 },
      response: shape,
      handle: (_call, body) => json(body),
    }),
    get({
      path: "/v1/document",
      access: "open",
      summary: "",
      response: shape,
      longPoll: true,
      handle() {
        if (document === undefined) throw new AuthorityError("ERR_AUTHORITY_NO_BUNDLE", "nothing yet");
        return json({ word: document }, { etag: document });
      },
    }),
    get({
      path: "/v1/things/{name}",
      access: "open",
      summary: "",
      response: shape,
      handle: ({ params, query }) => json({ word: `${params.get("name")} ${query.get("q")}` }),
    }),
    get({
      path: "/v1/broken",
      access: "open",
      summary: "",
      response: shape,
      handle() {
        throw new Error("the secret reason");
      },
    }),
  ];
  const app = createApp({
    routes,
    names: new Set(),
    waitingRoom,
    identify: async () => ({ kind: "anybody" }),
    answered: (route, status, code) => told.push({ route, status, code }),
    unexpected: (error) => unexpected.push(error),
    ...overrides,
  });
  const change = (to: string | undefined): void => {
    document = to;
    waitingRoom.wake();
  };
  return { app, waitingRoom, told, unexpected, change };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition did not come true");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("createApp", () => {
  it("answers what the handler returns, never to be kept by a cache", async () => {
    const answer = await supertest(appWith().app).post("/v1/echo").send({ word: "hi" });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ word: "hi" });
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.headers["x-powered-by"]).toBeUndefined();
  });

  it.each([
    ["an unknown path", "get", "/v1/nothing", undefined, 404, "ERR_AUTHORITY_NOT_FOUND"],
    ["a path with another case", "get", "/v1/Document", undefined, 404, "ERR_AUTHORITY_NOT_FOUND"],
    ["a path with a slash more", "get", "/v1/document/", undefined, 404, "ERR_AUTHORITY_NOT_FOUND"],
    ["another method", "delete", "/v1/document", undefined, 405, "ERR_AUTHORITY_METHOD"],
    ["a body that is not JSON", "post", "/v1/echo", "{", 400, "ERR_AUTHORITY_BODY"],
    ["a body of another shape", "post", "/v1/echo", '{"word":1}', 400, "ERR_PROTOCOL_MESSAGE"],
    ["a body with a key too many", "post", "/v1/echo", '{"word":"a","more":1}', 400, "ERR_PROTOCOL_MESSAGE"],
    ["a body over the limit", "post", "/v1/echo", `{"word":"${"a".repeat(64)}"}`, 413, "ERR_AUTHORITY_BODY_TOO_LARGE"],
    ["a repeated query parameter", "get", "/v1/things/a?q=1&q=2", undefined, 400, "ERR_AUTHORITY_QUERY"],
    ["a path that cannot be decoded", "get", "/v1/things/%zz", undefined, 404, "ERR_AUTHORITY_NOT_FOUND"],
  ] as const)("refuses %s in JSON", async (_what, method, path, body, status, code) => {
    const request = supertest(appWith().app)[method](path);
    const answer = await (body === undefined ? request : request.type("application/json").send(body));
    expect(answer.status).toBe(status);
    expect(apiError.parse(answer.body).error.code).toBe(code);
    expect(answer.text).not.toMatch(/node_modules|\.ts:\d/);
  });

  it("says which methods a path takes", async () => {
    const answer = await supertest(appWith().app).put("/v1/document");
    expect(answer.headers.allow).toBe("GET, HEAD");
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])(
    "refuses %s bodies",
    async (type) => {
      const answer = await supertest(appWith().app).post("/v1/echo").type(type).send('{"word":"a"}');
      expect(answer.status).toBe(415);
    },
  );

  it("refuses a body without a type", async () => {
    const answer = await supertest(appWith().app).post("/v1/echo");
    expect(answer.status).toBe(415);
  });

  it("tells the client nothing of an unexpected failure, and the log everything", async () => {
    const { app, unexpected, told } = appWith();
    const answer = await supertest(app).get("/v1/broken");
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("secret");
    expect(String(unexpected[0])).toContain("the secret reason");
    expect(told).toEqual([{ route: "/v1/broken", status: 500, code: "ERR_AUTHORITY_INTERNAL" }]);
  });

  it("identifies the caller before it reads a body", async () => {
    const refuse = (): never => {
      throw new AuthorityError("ERR_AUTHORITY_UNAUTHENTICATED", "who are you");
    };
    const { app } = appWith({ identify: refuse });
    const answer = await supertest(app)
      .post("/v1/echo")
      .type("application/json")
      .send(`{"word":"${"a".repeat(999)}"}`);
    expect(answer.status).toBe(401);
  });

  it("refuses a loopback request that names another host, and a page of another origin", async () => {
    const { app } = appWith();
    const rebound = await supertest(app).get("/v1/document").set("Host", "evil.example");
    expect([rebound.status, rebound.body.error.code]).toEqual([421, "ERR_AUTHORITY_HOST"]);
    const foreign = await supertest(app).get("/v1/document").set("Origin", "https://evil.example");
    expect([foreign.status, foreign.body.error.code]).toEqual([403, "ERR_AUTHORITY_ORIGIN"]);
  });

  it("answers 304 to whom has the entity, and the entity to whom has another", async () => {
    const { app } = appWith();
    const first = await supertest(app).get("/v1/document");
    expect(first.headers.etag).toBe('"first"');
    const same = await supertest(app).get("/v1/document").set("If-None-Match", '"first"');
    expect([same.status, same.text]).toEqual([304, ""]);
    const other = await supertest(app).get("/v1/document").set("If-None-Match", '"old"');
    expect([other.status, other.body]).toEqual([200, { word: "first" }]);
  });

  it("holds whom has the entity and prefers to wait, until it changes", async () => {
    const { app, waitingRoom, change } = appWith();
    const held = supertest(app).get("/v1/document").set({ "If-None-Match": '"first"', Prefer: "wait=30" });
    const answered = held.then((answer) => answer);
    await until(() => waitingRoom.size === 1);
    change("second");
    const answer = await answered;
    expect([answer.status, answer.body, answer.headers.etag]).toEqual([200, { word: "second" }, '"second"']);
    expect(answer.headers["preference-applied"]).toBe("wait=30");
  });

  it("answers 304 when the wait ends without a change", async () => {
    const answer = await supertest(appWith().app)
      .get("/v1/document")
      .set({ "If-None-Match": '"first"', Prefer: "wait=1" });
    expect(answer.status).toBe(304);
  });

  it("does not hold whom has another entity", async () => {
    const { app, waitingRoom } = appWith();
    const answer = await supertest(app).get("/v1/document").set({ "If-None-Match": '"old"', Prefer: "wait=30" });
    expect([answer.status, waitingRoom.size]).toEqual([200, 0]);
  });

  it("holds whom waits for something that is not there yet, until it is", async () => {
    const { app, waitingRoom, change } = appWith();
    change(undefined);
    const answered = supertest(app)
      .get("/v1/document")
      .set("Prefer", "wait=30")
      .then((answer) => answer);
    await until(() => waitingRoom.size === 1);
    change("new");
    expect((await answered).body).toEqual({ word: "new" });
  });

  it("looks at the caller again after a wait", async () => {
    let revoked = false;
    const { app, waitingRoom, change } = appWith({
      async identify() {
        if (revoked) throw new AuthorityError("ERR_AUTHORITY_REVOKED", "revoked");
        return { kind: "anybody" };
      },
    });
    const answered = supertest(app)
      .get("/v1/document")
      .set({ "If-None-Match": '"first"', Prefer: "wait=30" })
      .then((answer) => answer);
    await until(() => waitingRoom.size === 1);
    revoked = true;
    change("second");
    const answer = await answered;
    expect([answer.status, answer.body.error.code]).toEqual([403, "ERR_AUTHORITY_REVOKED"]);
  });

  it("lets everybody go when it closes", async () => {
    const { app, waitingRoom } = appWith();
    const answered = supertest(app)
      .get("/v1/document")
      .set({ "If-None-Match": '"first"', Prefer: "wait=30" })
      .then((answer) => answer);
    await until(() => waitingRoom.size === 1);
    waitingRoom.close();
    expect((await answered).status).toBe(304);
  });

  it("passes path and query parameters on", async () => {
    const answer = await supertest(appWith().app).get("/v1/things/a%2Fb?q=c");
    expect(answer.body).toEqual({ word: "a/b c" });
  });
});
