import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { Agent, createServer, request, type Server } from "node:https";
import type { Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { Client, Server as GrpcServer, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { matchAny, matchId, matchMemberOf, parseSpiffeId, type SpiffeError, type SpiffeIdMatcher } from "../index.ts";
import { createTestCa, type TestCa } from "../testing/index.ts";
import {
  callerOf,
  grpcCredentials,
  httpsAgent,
  listenGrpc,
  peerIdOf,
  protectServer,
  tlsClientOptions,
  tlsMaterial,
  tlsServerOptions,
} from "./index.ts";
import { SettableIdentity } from "./testing/settable-identity.ts";

const WEB = "spiffe://shop.example/shop/web";
const ORDERS = "spiffe://shop.example/shop/orders";
const shop = createTestCa({ trustDomain: "shop.example" });
const below = shop.intermediate();
// Of another name: of two authorities with one name and no key identifiers, OpenSSL tries the first alone.
const renewed = createTestCa({ trustDomain: "shop.example", subject: "Renewed Root" });
const partner = createTestCa({ trustDomain: "partner.example" });
const stranger = createTestCa({ trustDomain: "shop.example" });
const bundles = [shop.bundle(), partner.bundle()];
const svid = (id: string, ca: TestCa = below) => ca.issue({ uris: [id] }).svid();
const identity = (id: string, ca?: TestCa) => new SettableIdentity(svid(id, ca), bundles);

let client: SettableIdentity;
let server: SettableIdentity;
let refusals: SpiffeError[];
let requests: (string | undefined)[];
const closers: (() => unknown)[] = [];
beforeEach(() => {
  [client, server] = [identity(WEB), identity(ORDERS)];
  [refusals, requests] = [[], []];
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const open = new Set<Socket>();
async function listen(listener: Server, authorize: SpiffeIdMatcher = matchId(parseSpiffeId(WEB))): Promise<number> {
  protectServer(listener, { source: server, authorize, onRefused: (error) => refusals.push(error) });
  listener.on("connection", (socket: Socket) => open.add(socket));
  listener.on("tlsClientError", () => undefined);
  closers.push(() => {
    for (const socket of open) socket.destroy();
    open.clear();
    return new Promise((resolve) => listener.close(resolve));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
const httpsServer = () =>
  createServer(tlsServerOptions(server), (incoming, outgoing) => {
    const caller = incoming.socket instanceof TLSSocket ? peerIdOf(incoming.socket)?.toString() : undefined;
    requests.push(caller);
    outgoing.end(caller);
  });

/** The body of the answer, or the error's code. */
function get(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: "127.0.0.1", port, agent }, (incoming) => {
      let text = "";
      incoming.on("data", (chunk: Buffer) => {
        text += chunk;
      });
      incoming.on("end", () => resolve(text));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.end();
  });
}
function agentOf(source = client, authorize: SpiffeIdMatcher = matchId(parseSpiffeId(ORDERS))): Agent {
  const agent = httpsAgent({ source, authorize });
  closers.push(() => agent.destroy());
  return agent;
}

describe("https", () => {
  it("speaks where both ends are who is meant, whatever the host name, and the server knows its caller", async () => {
    expect(await get(await listen(httpsServer()), agentOf())).toBe(WEB);
  });

  it("a client speaks to no other server", async () => {
    const port = await listen(httpsServer());
    expect(await get(port, agentOf(client, matchId(parseSpiffeId(WEB))))).toBe("ERR_SPIFFE_PEER");
    expect(requests).toEqual([]);
  });

  it("a server shows no other client's request to anybody", async () => {
    const port = await listen(httpsServer());
    expect(await get(port, agentOf(identity("spiffe://shop.example/shop/db")))).not.toBe("");
    expect([requests, refusals.map(({ code }) => code)]).toEqual([[], ["ERR_SPIFFE_PEER"]]);
  });

  it("X-10: neither end takes an identity from another trust domain's authority, though it is trusted for its own", async () => {
    const port = await listen(httpsServer(), matchAny());
    await get(port, agentOf(identity(WEB, partner), matchAny()));
    expect([requests, refusals.length]).toEqual([[], 1]);
    expect(refusals[0]?.message).toContain("is not proven");
    server.set(svid(ORDERS, partner));
    expect(await get(port, agentOf(client, matchAny()))).toBe("ERR_SPIFFE_PEER");
    server.set(svid("spiffe://partner.example/orders", partner));
    expect(await get(port, agentOf(client, matchAny()))).toBe(WEB);
  });

  it("a client without a certificate, of an unknown authority, or of a domain that is not trusted is turned away", async () => {
    const port = await listen(httpsServer(), matchAny());
    const { ca } = tlsMaterial(client);
    const bare = new Agent({ ca, checkServerIdentity: () => undefined });
    closers.push(() => bare.destroy());
    await get(port, bare);
    await get(port, agentOf(identity(WEB, stranger)));
    server.set(server.svid, [shop.bundle()]);
    await get(port, agentOf(identity("spiffe://partner.example/a", partner)));
    expect(requests).toEqual([]);
  });

  it("a server that is merely given the options, and no authorizer, demands a certificate all the same", async () => {
    const listener = httpsServer();
    listener.on("tlsClientError", () => undefined);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    closers.push(() => new Promise((resolve) => listener.close(resolve)));
    const address = listener.address();
    const socket = connect({
      host: "127.0.0.1",
      port: typeof address === "object" ? address?.port : 0,
      rejectUnauthorized: false,
    });
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await new Promise((resolve) => socket.once("close", resolve));
    expect(requests).toEqual([]);
  });

  it("listeners that were there before the server was protected see no refused connection", async () => {
    const listener = httpsServer();
    let seen = 0;
    listener.on("secureConnection", () => seen++);
    const port = await listen(listener);
    await get(port, agentOf(identity("spiffe://shop.example/shop/db")));
    expect([seen, refusals.length]).toEqual([0, 1]);
    await get(port, agentOf());
    expect(seen).toBe(1);
  });
});

describe("rotation", () => {
  it("reaches new connections at both ends, and no open one is cut", async () => {
    const port = await listen(httpsServer());
    const kept = agentOf();
    await get(port, kept);
    const before = open.size;
    const both = [{ ...shop.bundle(), x509Authorities: [shop.root, renewed.root] }, partner.bundle()];
    server.set(svid(ORDERS, renewed), both);
    client.set(svid(WEB, renewed), both);
    expect(await get(port, kept)).toBe(WEB);
    expect(open.size).toBe(before);
    const socket = connect({ host: "127.0.0.1", port, ...tlsClientOptions({ source: client, authorize: matchAny() }) });
    await once(socket, "secureConnect");
    expect(new X509Certificate(socket.getPeerCertificate().raw).checkIssued(renewed.root)).toBe(true);
    expect([`${peerIdOf(socket)}`, `${peerIdOf(socket)}`]).toEqual([ORDERS, ORDERS]);
    socket.destroy();
  });

  it("ends trust in a root that is gone, for a session that would be resumed too", async () => {
    const port = await listen(httpsServer());
    expect(await get(port, agentOf())).toBe(WEB);
    server.set(svid(ORDERS, renewed), [renewed.bundle()]);
    const old = identity(WEB);
    old.set(old.svid, [renewed.bundle()]);
    await get(port, agentOf(old));
    expect(requests).toEqual([WEB]);
    old.set(svid(WEB, renewed));
    expect(await get(port, agentOf(old))).toBe(WEB);
  });

  it("no session is resumed", async () => {
    const port = await listen(httpsServer());
    const options = { host: "127.0.0.1", port, ...tlsClientOptions({ source: client, authorize: matchAny() }) };
    const first = connect(options);
    const sessions: Buffer[] = [];
    first.on("session", (session: Buffer) => sessions.push(session));
    first.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(first, "data");
    const session = sessions.at(-1) ?? first.getSession();
    first.destroy();
    const second = connect({ ...options, ...(session && { session }) });
    await once(second, "secureConnect");
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });

  it("leaves nobody in once the identity was taken back, and no connection is begun without one", async () => {
    const port = await listen(httpsServer());
    server.set(undefined);
    await get(port, agentOf());
    expect([requests, refusals.map(({ code }) => code)]).toEqual([[], ["ERR_SPIFFE_NO_IDENTITY"]]);
    client.set(undefined);
    expect(await get(port, agentOf())).toBe("ERR_SPIFFE_NO_IDENTITY");
  });
});

it("http2 servers are protected alike", async () => {
  const listener = createSecureServer(tlsServerOptions(server), (_incoming, outgoing) => {
    requests.push("seen");
    outgoing.end("hello");
  });
  protectServer(listener, {
    source: server,
    authorize: matchId(parseSpiffeId(WEB)),
    onRefused: (e) => refusals.push(e),
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  closers.push(() => new Promise<void>((resolve) => listener.close(() => resolve())));
  const address = listener.address();
  const port = typeof address === "object" ? address?.port : 0;
  const ask = async (source: SettableIdentity) => {
    const options = tlsClientOptions({ source, authorize: matchAny() });
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ...options, ALPNProtocols: ["h2"] });
    session.on("error", () => undefined);
    const stream = session.request({ ":path": "/" });
    stream.on("error", () => undefined);
    stream.resume();
    await once(stream, "close");
    session.destroy();
  };
  await ask(identity("spiffe://shop.example/shop/db"));
  expect([requests, refusals.length]).toEqual([[], 1]);
  await ask(client);
  expect(requests).toEqual(["seen"]);
});

describe("gRPC", () => {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const path = "/test.Echo/Echo";
  const definition = { path, requestStream: false, responseStream: false } as const;
  const codecs = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };

  async function grpc(authorize: SpiffeIdMatcher = matchMemberOf(shop.trustDomain)): Promise<number> {
    const grpcServer = new GrpcServer();
    grpcServer.addService(
      { echo: { ...definition, ...codecs } },
      {
        echo: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) =>
          reply(null, Buffer.from(`${callerOf(call)}`)),
      },
    );
    const onRefused = (error: SpiffeError) => refusals.push(error);
    const peers = { source: server, authorize, onRefused };
    const listener = await listenGrpc(grpcServer, { ...peers, host: "127.0.0.1", port: 0 });
    closers.push(async () => {
      grpcServer.forceShutdown();
      await listener.close();
    });
    return listener.port;
  }
  function call(grpcClient: Client): Promise<string> {
    return new Promise((resolve) => {
      grpcClient.makeUnaryRequest(path, asIs, asIs, Buffer.from("x"), (error, response) =>
        resolve(error === null ? `${response}` : `${status[error.code]}: ${error.details}`),
      );
    });
  }
  function clientTo(
    port: number,
    source = client,
    authorize: SpiffeIdMatcher = matchId(parseSpiffeId(ORDERS)),
  ): Client {
    const grpcClient = new Client(`127.0.0.1:${port}`, grpcCredentials({ source, authorize }));
    closers.push(() => grpcClient.close());
    return grpcClient;
  }

  it("speaks where both ends are who is meant, and its methods know their caller", async () => {
    expect(await call(clientTo(await grpc()))).toBe(WEB);
  });

  it("neither end speaks to another", async () => {
    const port = await grpc();
    expect(await call(clientTo(port, client, matchId(parseSpiffeId(WEB))))).toMatch(/^UNAVAILABLE.*not the peer/);
    expect(await call(clientTo(port, identity("spiffe://partner.example/a", partner)))).toMatch(/^UNAVAILABLE/);
    expect(await call(clientTo(port, identity(WEB, partner)))).toMatch(/^UNAVAILABLE/);
    expect(refusals).toHaveLength(2);
  });

  it("goes on over a rotation of the root, on the open connection and on new ones", async () => {
    const port = await grpc();
    const kept = clientTo(port);
    expect(await call(kept)).toBe(WEB);
    const both = [{ ...shop.bundle(), x509Authorities: [shop.root, renewed.root] }];
    client.set(svid(WEB, renewed), both);
    server.set(svid(ORDERS, renewed), both);
    expect(await call(kept)).toBe(WEB);
    client.set(client.svid, [renewed.bundle()]);
    server.set(server.svid, [renewed.bundle()]);
    expect([await call(kept), await call(clientTo(port))]).toEqual([WEB, WEB]);
  });

  it("begins no call without an identity", async () => {
    client.set(undefined);
    expect(await call(clientTo(await grpc()))).toMatch(/^UNAVAILABLE/);
  });
});
