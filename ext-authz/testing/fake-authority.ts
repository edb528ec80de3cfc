import { createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import forge from "node-forge";
import type { EnrolResponse, IssuedCertificate } from "../../protocol/index.ts";
import { certificatesToPem, formatTrustBundle } from "../../spiffe/index.ts";
import { buildCertificate, nameOf, randomSerial } from "../../spiffe/testing/certificate-builder.ts";
import { createTestCa, type TestCa } from "../../spiffe/testing/index.ts";

/** One answer of a fake authority. */
export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or bytes as they are. */
  readonly body?: unknown;
}

/** A request as it came. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
  /** The client certificate's URI name. */
  readonly peer: string | undefined;
}

export type Routes = Readonly<Record<string, (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>>>;

export interface FakeAuthority {
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  close(): Promise<void>;
}

/** An HTTPS server that shows the given chain; unknown routes answer 404. Stands for authorities that a sound one cannot play. */
export async function startFakeAuthority(options: {
  readonly chain: readonly X509Certificate[];
  readonly privateKey: KeyObject;
  readonly routes: Routes;
  readonly port?: number;
}): Promise<FakeAuthority> {
  const requests: FakeRequest[] = [];
  const server = createServer(
    {
      cert: certificatesToPem(options.chain),
      key: options.privateKey.export({ type: "pkcs8", format: "pem" }),
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
    },
    async (incoming, outgoing) => {
      const request = await readRequest(incoming);
      requests.push(request);
      const route = options.routes[`${request.method} ${request.path}`];
      const answer: FakeAnswer = route === undefined ? { status: 404 } : await route(request);
      outgoing.writeHead(answer.status ?? 200, answer.headers);
      outgoing.end(
        Buffer.isBuffer(answer.body) ? answer.body : answer.body === undefined ? "" : JSON.stringify(answer.body),
      );
    },
  );
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const socket = incoming.socket as import("node:tls").TLSSocket;
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers: incoming.headers,
    body: text === "" ? undefined : JSON.parse(text),
    peer: socket.getPeerX509Certificate()?.subjectAltName?.replace(/^URI:/, ""),
  };
}

/** A CA with an intermediate, and the chain that an authority of it shows, root included. */
export function testHierarchy(trustDomain: string) {
  const root = createTestCa({ trustDomain });
  const intermediate = root.intermediate();
  const authority = intermediate.issue({ uris: [`spiffe://${trustDomain}/cellwall/authority`] });
  return { root, intermediate, authority, shown: [...authority.chain, root.root] };
}

/** Issues for the key of a certification request. */
export function issueFor(ca: TestCa, csr: string, identity: string, lifeMs = 3_600_000): IssuedCertificate {
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000 - 1000);
  const notAfter = new Date(notBefore.getTime() + lifeMs);
  const serial = randomSerial();
  const certificate = buildCertificate(
    {
      uris: [identity],
      dns: [],
      ips: [],
      sanCritical: true,
      ca: false,
      pathLength: undefined,
      keyUsage: ["digitalSignature"],
      keyUsageCritical: true,
      extendedKeyUsage: ["serverAuth", "clientAuth"],
      extensions: [],
      extraFields: [],
      subject: "",
      notBefore,
      notAfter,
      serial,
      digest: "sha256",
      version: 3,
    },
    publicKeyOfCsr(Buffer.from(csr, "base64url")),
    { key: ca.privateKey, name: nameOf(commonNameOf(ca.certificate)) },
  );
  return {
    identity,
    chain: [certificate, ...ca.chain].map((link) => link.raw.toString("base64url")),
    serial,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
  };
}

/** Answers an enrolment or renewal. */
export function enrolAnswer(ca: TestCa, root: TestCa, csr: string, node: string, lifeMs?: number): EnrolResponse {
  const identity = `spiffe://${ca.trustDomain}/cellwall/agent/${node}`;
  return { node, certificate: issueFor(ca, csr, identity, lifeMs), trustBundle: formatTrustBundle(root.bundle()) };
}

function commonNameOf(certificate: X509Certificate): string {
  return /CN=(.*)/.exec(certificate.subject)?.[1] ?? "";
}

function publicKeyOfCsr(der: Buffer): KeyObject {
  const csr = forge.asn1.fromDer(der.toString("latin1"));
  const info = (csr.value as forge.asn1.Asn1[])[0]?.value as forge.asn1.Asn1[];
  const spki = forge.asn1.toDer(info[2] as forge.asn1.Asn1).getBytes();
  return createPublicKey({ key: Buffer.from(spki, "latin1"), format: "der", type: "spki" });
}
