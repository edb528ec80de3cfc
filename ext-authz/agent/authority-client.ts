import { Agent, request } from "node:https";
import type { ZodType } from "zod";
import {
  type AttestRequest,
  type BundleManifest,
  type EnrolRequest,
  type EnrolResponse,
  enrolResponse,
  type IssuedCertificate,
  issuedCertificate,
  type JwtSvidsRequest,
  type JwtSvidsResponse,
  jwtSvidsResponse,
  type NodeTrustReport,
  type NodeWorkloads,
  nodeWorkloads,
  type OpenStreamsReport,
  parseMessage,
  type RenewRequest,
  type SignedEnvelope,
  type SvidsRequest,
  type SvidsResponse,
  signedEnvelope,
  svidsResponse,
  type TrustBundles,
  trustBundles,
} from "../../protocol/index.ts";
import { type TrustBundle, within, type X509Svid } from "../../spiffe/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import { connectionError, refusedError } from "./authority-error.ts";
import { authorityProblem, peerChain, type ShownCertificate } from "./peer-chain.ts";

/** Whom the client believes and who it is. */
export interface ClientCredentials {
  /** The own trust domain's anchors. */
  readonly trust: TrustBundle;
  /** Absent before enrolment. */
  readonly svid?: X509Svid | undefined;
}

/** How to ask for a document that may not have changed. */
export interface Conditional {
  readonly etag: string | undefined;
  /** The answer may be held back that long, until the document changes. 0 asks for an answer at once. */
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
}

export type Fetched<T> =
  | { readonly kind: "unchanged" }
  | { readonly kind: "fetched"; readonly value: T; readonly etag: string | undefined };

/** What the agent reports of itself. */
export interface AppliedReport extends Pick<BundleManifest, "epoch" | "revision"> {
  readonly revocations: number;
  readonly trust?: NodeTrustReport;
  readonly open?: OpenStreamsReport;
}

interface Exchange {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The agent's side of the authority's HTTPS API. Throws `AgentError` `ERR_AGENT_AUTHORITY_…` and `ERR_AGENT_ANSWER`. */
export class AuthorityClient {
  readonly #url: URL;
  readonly #now: () => Date;
  #agent: Agent;

  constructor(options: { readonly url: string; readonly credentials: ClientCredentials; readonly now: () => Date }) {
    this.#url = new URL(options.url);
    this.#now = options.now;
    this.#agent = this.#newAgent(options.credentials);
  }

  /** Takes new anchors or a new certificate; exchanges under way go on with the old ones. */
  use(credentials: ClientCredentials): void {
    const old = this.#agent;
    this.#agent = this.#newAgent(credentials);
    closeIdle(old);
  }

  enrol(message: EnrolRequest, signal: AbortSignal): Promise<EnrolResponse> {
    return this.#post("/v1/enrol", message, enrolResponse, "enrolment", signal);
  }

  attest(message: AttestRequest, signal: AbortSignal): Promise<EnrolResponse> {
    return this.#post("/v1/attest", message, enrolResponse, "enrolment", signal);
  }

  renew(message: RenewRequest, signal: AbortSignal): Promise<EnrolResponse> {
    return this.#post("/v1/renew", message, enrolResponse, "renewal", signal);
  }

  svids(message: SvidsRequest, signal: AbortSignal): Promise<SvidsResponse> {
    return this.#post("/v1/svids", message, svidsResponse, "list of certificates", signal);
  }

  jwtSvids(message: JwtSvidsRequest, signal: AbortSignal): Promise<JwtSvidsResponse> {
    return this.#post("/v1/jwt-svids", message, jwtSvidsResponse, "list of tokens", signal);
  }

  /** A certificate of the authority that is about to sign. */
  probe(message: RenewRequest, signal: AbortSignal): Promise<IssuedCertificate> {
    return this.#post("/v1/node/probe", message, issuedCertificate, "certificate to try", signal);
  }

  workloads(conditional: Conditional): Promise<Fetched<NodeWorkloads>> {
    return this.#get("/v1/node/workloads", nodeWorkloads, "list of workloads", conditional);
  }

  trustBundles(conditional: Conditional): Promise<Fetched<TrustBundles>> {
    return this.#get("/v1/trust-bundles", trustBundles, "list of trust bundles", conditional);
  }

  bundle(conditional: Conditional): Promise<Fetched<SignedEnvelope>> {
    return this.#get("/v1/bundle", signedEnvelope, "signed bundle", conditional);
  }

  revocations(conditional: Conditional): Promise<Fetched<SignedEnvelope>> {
    return this.#get("/v1/revocations", signedEnvelope, "signed list of revocations", conditional);
  }

  /** A shard's bytes as they came; whoever reads them compares their hash first. */
  async shard(sha256: string, signal: AbortSignal): Promise<Uint8Array> {
    const path = `/v1/bundle/shards/${encodeURIComponent(sha256)}`;
    const answer = await this.#exchange({ method: "GET", path, signal });
    return answer.body;
  }

  async report(applied: AppliedReport, signal: AbortSignal): Promise<void> {
    await this.#exchange({ method: "POST", path: "/v1/node/status", body: applied, signal });
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post<T>(path: string, body: unknown, schema: ZodType<T>, what: string, signal: AbortSignal): Promise<T> {
    const answer = await this.#exchange({ method: "POST", path, body, signal });
    return readAnswer(answer, schema, what);
  }

  async #get<T>(path: string, schema: ZodType<T>, what: string, conditional: Conditional): Promise<Fetched<T>> {
    const { etag, waitSeconds, signal } = conditional;
    const headers = {
      ...(etag === undefined ? {} : { "if-none-match": etag }),
      ...(waitSeconds === 0 ? {} : { prefer: `wait=${waitSeconds}` }),
    };
    const timeoutMs = TIMEOUT_MS + waitSeconds * 1000;
    const answer = await this.#exchange({ method: "GET", path, headers, timeoutMs, signal });
    if (answer.status === 304) return { kind: "unchanged" };
    return { kind: "fetched", value: readAnswer(answer, schema, what), etag: answer.etag };
  }

  async #exchange(exchange: Exchange): Promise<Answer> {
    const answer = await this.#send(exchange);
    if (answer.status >= 200 && answer.status < 300) return answer;
    if (answer.status === 304 && exchange.headers?.["if-none-match"] !== undefined) return answer;
    throw refusedError(exchange.path, answer.status, answer.body);
  }

  #send(exchange: Exchange): Promise<Answer> {
    return within(exchange.signal, exchange.timeoutMs ?? TIMEOUT_MS, (signal) => this.#answerTo(exchange, signal));
  }

  #answerTo(exchange: Exchange, signal: AbortSignal): Promise<Answer> {
    const body = exchange.body === undefined ? undefined : Buffer.from(JSON.stringify(exchange.body));
    const type =
      body === undefined ? {} : { "content-type": "application/json", "content-length": String(body.length) };
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(connectionError(this.#url.origin, error));
      const outgoing = request(new URL(exchange.path, this.#url), {
        method: exchange.method,
        agent: this.#agent,
        headers: { accept: "application/json", ...type, ...exchange.headers },
        signal,
      });
      outgoing.once("error", fail);
      outgoing.once("response", (incoming) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        incoming.on("data", (chunk: Buffer) => {
          sizeBytes += chunk.length;
          if (sizeBytes > MAX_ANSWER_BYTES) incoming.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        incoming.once("error", fail);
        incoming.once("end", () =>
          resolve({ status: incoming.statusCode ?? 0, etag: incoming.headers.etag, body: Buffer.concat(chunks) }),
        );
      });
      outgoing.end(body);
    });
  }

  #newAgent({ trust, svid }: ClientCredentials): Agent {
    const identity =
      svid === undefined
        ? {}
        : {
            cert: svid.chain.map((certificate) => certificate.toString()).join(""),
            key: svid.privateKey.export({ type: "pkcs8", format: "pem" }),
          };
    return new Agent({
      keepAlive: true,
      maxCachedSessions: 0,
      minVersion: "TLSv1.3",
      ca: trust.x509Authorities.map((authority) => authority.toString()),
      ...identity,
      // SECURITY: replaces the host name check; runs only after OpenSSL has verified the chain to our anchors.
      checkServerIdentity: (_host, certificate) => serverError(certificate, trust, this.#now()),
    });
  }
}

function serverError(leaf: ShownCertificate, trust: TrustBundle, at: Date): AgentError | undefined {
  const problem = authorityProblem(peerChain(leaf), trust, at);
  if (problem === undefined) return undefined;
  return new AgentError("ERR_AGENT_AUTHORITY_UNTRUSTED", `the server is not the authority: ${problem}`, {
    hint: "check the authority's address; an agent that was away while the root was replaced comes back with a new join token",
  });
}

function readAnswer<T>(answer: Answer, schema: ZodType<T>, what: string): T {
  try {
    return parseMessage(schema, JSON.parse(answer.body.toString("utf8")), what);
  } catch (error) {
    throw new AgentError("ERR_AGENT_ANSWER", `the authority's answer is unreadable: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Lets an agent's exchanges finish: idle connections go now, the others when they are done. */
function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  agent.maxFreeSockets = 0;
}
