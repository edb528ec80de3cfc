import { beforeEach, describe, expect, it } from "vitest";
import type { JwtSvidsRequest } from "../../protocol/index.ts";
import { parseSpiffeId, type TrustBundle } from "../../spiffe/index.ts";
import { createJwtAuthority } from "../../spiffe/testing/index.ts";
import { AgentError } from "../agent-error.ts";
import { capturingLogger } from "../testing/capture.ts";
import { TokenKeeper } from "./token-keeper.ts";

const id = parseSpiffeId("spiffe://shop.example/shop/web");
const begin = Date.UTC(2026, 5, 1);
let nowMs: number;
let own: TrustBundle;
let asked: JwtSvidsRequest[];
let answer: (request: JwtSvidsRequest) => string | Promise<string>;
let keeper: TokenKeeper;

const authority = (keyId = "key-1") => createJwtAuthority({ trustDomain: "shop.example", keyId, now: new Date(nowMs) });

beforeEach(() => {
  nowMs = begin;
  asked = [];
  const signer = authority();
  own = signer.bundle();
  const seconds = () => Math.floor(nowMs / 1000);
  answer = ({ requests: [first] }) =>
    signer.sign({
      sub: first?.identity,
      aud: first?.audience,
      iat: seconds(),
      exp: seconds() + 300,
      jti: asked.length,
    });
  keeper = new TokenKeeper({
    trust: {
      get own() {
        return own;
      },
    },
    clock: { now: () => new Date(nowMs) },
    log: capturingLogger(),
    client: () => ({
      jwtSvids: async (request) => {
        asked.push(request);
        const token = await answer(request);
        return { tokens: [{ identity: `${id}`, token, issuedAt: "", expiresAt: "" }] };
      },
    }),
    signal: new AbortController().signal,
  });
});

const issue = (...audience: readonly string[]) => keeper.issue(id, audience);
const refused = (httpStatus: number) =>
  new AgentError("ERR_AGENT_AUTHORITY_REFUSED", "no", { httpStatus, apiCode: undefined, hint: undefined });

describe("tokens", () => {
  it("are given again until half of their life, and asked for once by callers at the same time", async () => {
    const [first, second] = await Promise.all([issue("orders"), issue("orders")]);
    nowMs += 149_000;
    expect([second, await issue("orders")]).toEqual([first, first]);
    expect(asked).toHaveLength(1);
    nowMs += 2_000;
    expect(await issue("orders")).not.toEqual(first);
    expect(asked).toHaveLength(2);
  });

  it("are kept by the set of their audiences, whichever the order", async () => {
    const first = await issue("a", "b");
    expect(await issue("b", "a", "b")).toEqual(first);
    expect(await issue("a")).not.toEqual(first);
    expect(asked.map(({ requests }) => requests[0]?.audience)).toEqual([["a", "b"], ["a"]]);
  });

  it("of a key that is withdrawn are not handed out, however fresh", async () => {
    await issue("orders");
    own = authority("key-2").bundle();
    expect(await issue("orders")).toEqual({ ok: false, kind: "unavailable" });
  });

  it("bridge an authority that is away until they expire", async () => {
    const first = await issue("orders");
    answer = () => Promise.reject(new AgentError("ERR_AGENT_AUTHORITY_UNREACHABLE", "away"));
    nowMs += 299_000;
    expect(await issue("orders")).toEqual(first);
    nowMs += 1_000;
    expect(await issue("orders")).toEqual({ ok: false, kind: "unavailable" });
  });

  it("do not bridge a refusal", async () => {
    await issue("orders");
    nowMs += 200_000;
    answer = () => Promise.reject(refused(403));
    expect(await issue("orders")).toEqual({ ok: false, kind: "denied" });
    answer = () => Promise.reject(refused(503));
    expect(await issue("orders")).toEqual({ ok: false, kind: "unavailable" });
  });

  it.each([
    ["of another identity", () => authority().sign({ sub: "spiffe://shop.example/shop/db", aud: "orders" })],
    ["for another audience", () => authority().sign({ sub: `${id}`, aud: "billing" })],
    ["signed by nobody", () => authority("key-9").sign({ sub: `${id}`, aud: "orders" })],
    ["for a part of the audiences", (sign: ReturnType<typeof authority>) => sign.sign({ sub: `${id}`, aud: "orders" })],
  ])("%s are refused on arrival", async (_, make) => {
    const signer = authority();
    own = signer.bundle();
    answer = () => make(signer);
    expect(await issue("orders", "billing")).toEqual({ ok: false, kind: "unavailable" });
  });
});
