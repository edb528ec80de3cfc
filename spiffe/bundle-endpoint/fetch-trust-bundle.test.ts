import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createPlainServer } from "node:http";
import { createServer, type Server, type ServerOptions } from "node:https";
import { TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { parseSpiffeId } from "../spiffe-id.ts";
import { createTestCa, type TestCertificate } from "../testing/index.ts";
import { formatTrustBundle } from "../trust-bundle.ts";
import { type BundleEndpointTarget, fetchTrustBundle } from "./fetch-trust-bundle.ts";

const partner = createTestCa({ trustDomain: "partner.example" });
const broker = createTestCa({ trustDomain: "broker.example" });
const web = createTestCa({ trustDomain: "web.example" });
const endpointId = parseSpiffeId("spiffe://partner.example/bundles");
const document = formatTrustBundle({ ...partner.bundle(), sequence: 9007199254740993n, refreshHintSeconds: 60 });
const endpointLeaf = partner.intermediate().issue({ uris: [endpointId.toString()] });
const webLeaf = web.issue({ uris: [], dns: ["localhost"], ips: [] });

const servers: Server[] = [];
const requests: IncomingMessage[] = [];
afterEach(async () => {
  requests.length = 0;
  await Promise.all(servers.splice(0).map((server) => once(server.close(), "close")));
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const give =
  (text: string | Buffer, status = 200): Handler =>
  (_request, response) =>
    response.writeHead(status).end(text);
const redirect =
  (location: string): Handler =>
  (_request, response) =>
    response.writeHead(302, { location }).end();

/** A server that shows this certificate. */
async function serve(leaf: TestCertificate, handler: Handler, options: ServerOptions = {}): Promise<string> {
  const server = createServer({ cert: leaf.chainPem, key: leaf.keyPem, ...options }, (request, response) => {
    requests.push(request);
    handler(request, response);
  });
  servers.push(server);
  server.listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  return `https://localhost:${typeof address === "object" ? address?.port : ""}/bundle`;
}

const spiffe = (url: string, more: object = {}): BundleEndpointTarget => ({
  profile: "https_spiffe",
  url,
  endpointId,
  bundle: partner.bundle(),
  ...more,
});
const fetchFrom = (target: BundleEndpointTarget, at = new Date()) =>
  fetchTrustBundle(target, {
    trustDomain: partner.trustDomain,
    at,
    signal: new AbortController().signal,
    ca: web.rootPem,
  });
const refused = (suffix: string, message: string | RegExp) => ({
  code: `ERR_SPIFFE_BUNDLE_ENDPOINT_${suffix}`,
  message: expect.stringMatching(message),
});

describe("https_spiffe", () => {
  it("F-4: fetches from a server with the endpoint's SPIFFE ID, by the bundle at hand and whatever its host name", async () => {
    const bundle = await fetchFrom(spiffe(await serve(endpointLeaf, give(document))));
    expect(bundle.trustDomain).toBe("partner.example");
    expect(bundle.x509Authorities.map(({ fingerprint256 }) => fingerprint256)).toEqual([partner.root.fingerprint256]);
    expect([bundle.sequence, bundle.refreshHintSeconds]).toEqual([9007199254740993n, 60]);
  });

  it("F-4: takes a server of another trust domain by that one's bundle", async () => {
    const id = parseSpiffeId("spiffe://broker.example/bundles");
    const url = await serve(broker.issue({ uris: [id.toString()] }), give(document));
    const bundle = await fetchFrom(spiffe(url, { endpointId: id, bundle: broker.bundle() }));
    expect(bundle.trustDomain).toBe("partner.example");
    await expect(fetchFrom(spiffe(url, { endpointId: id }))).rejects.toMatchObject(
      refused("UNTRUSTED", "not of trust domain"),
    );
  });

  it.each<[string, TestCertificate, string]>([
    [
      "another SPIFFE ID",
      partner.issue({ uris: ["spiffe://partner.example/web"] }),
      "it is `spiffe://partner.example/web`",
    ],
    [
      "an unknown authority",
      createTestCa({ trustDomain: "partner.example" }).issue({ uris: [String(endpointId)] }),
      "",
    ],
    [
      "a certificate that has expired",
      partner.issue({ uris: [String(endpointId)], notAfter: new Date(Date.now() - 1000) }),
      "expired",
    ],
    ["a signing certificate", partner.intermediate(), ""],
    ["a web certificate", webLeaf, ""],
  ])("F-4: sends nothing to a server with %s", async (_what, leaf, message) => {
    const url = await serve(leaf, give(document));
    await expect(fetchFrom(spiffe(url))).rejects.toMatchObject(refused("UNTRUSTED", message));
    expect(requests).toEqual([]);
  });

  it("F-5: follows a redirect to a server of the same SPIFFE ID, and to no other", async () => {
    const target = await serve(endpointLeaf, give(document));
    const bundle = await fetchFrom(spiffe(await serve(endpointLeaf, redirect(target))));
    expect(bundle.x509Authorities).toHaveLength(1);
    const other = await serve(partner.issue({ uris: ["spiffe://partner.example/web"] }), give(document));
    await expect(fetchFrom(spiffe(await serve(endpointLeaf, redirect(other))))).rejects.toMatchObject(
      refused("UNTRUSTED", "it is `spiffe://partner.example/web`"),
    );
  });
});

describe("https_web", () => {
  const target = (url: string): BundleEndpointTarget => ({ profile: "https_web", url });

  it("F-3: fetches from a server that the web's authorities vouch for, and shows no certificate", async () => {
    let shown: unknown;
    const look: Handler = (request, response) => {
      shown = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate() : undefined;
      give(document)(request, response);
    };
    const url = await serve(webLeaf, look, { requestCert: true, rejectUnauthorized: false });
    expect((await fetchFrom(target(url))).x509Authorities).toHaveLength(1);
    expect(shown).toEqual({});
  });

  it("F-3: refuses a server of an unknown authority or another host name", async () => {
    await expect(fetchFrom(target(await serve(endpointLeaf, give(document))))).rejects.toMatchObject(
      refused("UNTRUSTED", "not trusted"),
    );
    const other = await serve(web.issue({ uris: [], dns: ["other.example"] }), give(document));
    await expect(fetchFrom(target(other))).rejects.toMatchObject(refused("UNTRUSTED", "altnames"));
    expect(requests).toEqual([]);
  });

  it.each(["http://localhost/bundle", "https://user@localhost/", "https://a:b@localhost/", "ftp://x/", "junk"])(
    "F-2: takes no URL but https without credentials: %s",
    async (url) => {
      await expect(fetchFrom(target(url))).rejects.toMatchObject(refused("URL", "no https URL"));
    },
  );

  it("F-5: follows redirects to such URLs only, and not without end", async () => {
    const plain = createPlainServer(give(document)).listen(0, "localhost");
    await once(plain, "listening");
    const there = plain.address();
    const port = typeof there === "object" ? there?.port : 0;
    const bad = await serve(webLeaf, redirect(`http://localhost:${port}/bundle`));
    await expect(fetchFrom(target(bad))).rejects.toMatchObject(refused("URL", "no https URL"));
    await once(plain.close(), "close");
    const loop = await serve(webLeaf, redirect("/bundle"));
    await expect(fetchFrom(target(loop))).rejects.toMatchObject(refused("ANSWER", "more than 3 redirects"));
    expect(requests).toHaveLength(5);
  });

  it.each<[string, Handler, string]>([
    ["an error's answer", give(document, 500), "HTTP status 500"],
    ["bytes that are not UTF-8", give(Buffer.from([0x7b, 0xff, 0x7d])), "not UTF-8"],
    ["more than it may send", give(Buffer.alloc(5 * 1024 * 1024, 32)), "larger than 4 MiB"],
  ])("F-5: refuses %s", async (_what, handler, message) => {
    await expect(fetchFrom(target(await serve(webLeaf, handler)))).rejects.toMatchObject(refused("ANSWER", message));
  });

  it("B-1: refuses what is no bundle document", async () => {
    await expect(fetchFrom(target(await serve(webLeaf, give("{}"))))).rejects.toMatchObject({
      code: "ERR_SPIFFE_BUNDLE_SHAPE",
    });
  });

  it("says that nobody answers", async () => {
    const url = await serve(webLeaf, give(document));
    await Promise.all(servers.splice(0).map((server) => once(server.close(), "close")));
    await expect(fetchFrom(target(url))).rejects.toMatchObject(refused("UNREACHABLE", "no answer"));
  });

  it("F-2: speaks no TLS before 1.2", async () => {
    const url = await serve(webLeaf, give(document), { minVersion: "TLSv1", maxVersion: "TLSv1.1" });
    await expect(fetchFrom(target(url))).rejects.toMatchObject({ code: expect.stringContaining("UNREACHABLE") });
  });
});
