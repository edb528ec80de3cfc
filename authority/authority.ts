import type { IncomingMessage, RequestListener } from "node:http";
import { isIPv6 } from "node:net";
import type { Express } from "express";
import type { CertificateAuthority } from "../ca/index.ts";
import type { PolicySet } from "../policies/index.ts";
import type { AuthorityStatus, PublishResponse } from "../protocol/index.ts";
import { fetchTrustBundle } from "../spiffe/bundle-endpoint/index.ts";
import type { Store } from "../store/index.ts";
import { adminRoutes } from "./api/admin-routes.ts";
import { requireAdmin } from "./api/admin-token.ts";
import { presentedChain, verifyAgent } from "./api/agent-identity.ts";
import { agentRoutes } from "./api/agent-routes.ts";
import { type AppOptions, createApp } from "./api/app.ts";
import { attestRoute } from "./api/attest-route.ts";
import { caRoutes } from "./api/ca-routes.ts";
import { federationRoutes } from "./api/federation-routes.ts";
import { OidcVerifier } from "./api/oidc-identity.ts";
import { openApiRoute, openRoutes } from "./api/open-routes.ts";
import type { Caller, Route } from "./api/route.ts";
import { straightWay } from "./api/straight-way.ts";
import { TokenEnrolment } from "./attestation/enrol-by-token.ts";
import { memorySpentTokens } from "./attestation/spent-tokens.ts";
import { type AuditEntry, memoryAuditTrail } from "./audit.ts";
import { AuthorityError } from "./authority-error.ts";
import { type ForeignBundleStore, memoryForeignBundleStore } from "./federation/foreign-bundle-store.ts";
import { ForeignDomains } from "./federation/foreign-domains.ts";
import { type Fetch, IssuerKeys } from "./issuer-keys.ts";
import { createMetrics } from "./metrics.ts";
import { NodeBook } from "./node-book.ts";
import { type OutwardName, OutwardServers } from "./outward/outward-servers.ts";
import { memoryPolicyArchive, type PolicyFile } from "./policy-archive.ts";
import { Publications, type PublishOptions } from "./publications.ts";
import { type AuthorityRecords, openRecords } from "./records.ts";
import { type ListenAddress, type RunningServer, startServer } from "./server.ts";
import type { Services } from "./services.ts";
import { statusOf } from "./status.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** Where the authority says what nobody expected; pino fits. */
export interface AuthorityLog {
  error(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** What an authority is made of. */
export interface AuthorityOptions {
  readonly ca: CertificateAuthority;
  readonly clock: () => Date;
  /** Bearer token of the admin routes: new at each start, over loopback only. */
  readonly adminToken: string;
  readonly version: string;
  /** Node that may run every workload without `runsOn`: the one of an all-in-one process. */
  readonly localNode?: string;
  /** Keeps the published set and the audit trail across restarts; without it both end with the process. */
  readonly store?: Store;
  /** DNS names and IP addresses, beside the loopback's, that agents reach it by. */
  readonly names?: readonly string[];
  readonly log?: AuthorityLog;
  /** Fetches issuers' keys; the global one by default. */
  readonly fetch?: Fetch;
  readonly federation?: {
    /** The least time between two requests to one bundle endpoint; 10 by default. */
    readonly leastPollSeconds?: number;
    /** Anchors of `https_web` in place of the web's own; PEM. */
    readonly webRoots?: string;
  };
}

/** The server around a certificate authority. */
export interface Authority {
  readonly app: Express;
  readonly routes: readonly Route[];
  /** Brings back the last good set and what is known of nodes; `listen` does it where nobody did. */
  restore(): Promise<void>;
  /** Serves HTTPS on one more address; `ERR_AUTHORITY_LISTEN`. */
  listen(address: ListenAddress): Promise<{ readonly url: string; readonly port: number }>;
  /**
   * Replaces the files of one source, by default the platform's own. Never throws for a bad set: the answer then carries error diagnostics with `published` false, and the last
   * good set stays in force.
   */
  publish(files: readonly PolicyFile[], actor: string, options?: PublishOptions): Promise<PublishResponse>;
  status(): AuthorityStatus;
  /** `iss` of JWT-SVIDs, as the mesh in force says; what the certificate authority is opened with asks here. */
  jwtIssuer(): string | undefined;
  /** The audit trail, newest first. */
  audit(options?: { readonly limit?: number }): Promise<readonly AuditEntry[]>;
  /** Lets waiting agents go and stops serving. The certificate authority and the store stay open: they are the caller's. */
  close(): Promise<void>;
}

const MAX_WAITING = 8_192;
const MAX_WAITING_PER_CALLER = 8;
/** How far back the ledger is read at the start for nodes that enrolled; every other one is known again when it calls. */
const REMEMBERED_ENTRIES = 1_000;
/** A bundle's refresh hint below this is not followed. */
const LEAST_POLL_SECONDS = 10;
const SILENT: AuthorityLog = { error: () => {}, info: () => {} };

/** An authority over an open certificate authority; it serves nothing before `listen`. */
export function createAuthority(options: AuthorityOptions): Authority {
  return new RunningAuthority(options);
}

class RunningAuthority implements Authority {
  readonly app: Express;
  readonly routes: readonly Route[];
  readonly #options: AuthorityOptions;
  readonly #listener: RequestListener;
  readonly #log: AuthorityLog;
  readonly #names: ReadonlySet<string>;
  readonly #services: Services;
  readonly #unsubscribe: () => void;
  readonly #keys: IssuerKeys;
  readonly #oidc: OidcVerifier;
  #restored: Promise<void> | undefined;
  readonly #servers: RunningServer[] = [];
  #serving = false;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#log = options.log ?? SILENT;
    this.#keys = new IssuerKeys(options.fetch ?? fetch);
    this.#oidc = new OidcVerifier(this.#keys);
    this.#names = new Set((options.names ?? []).map((name) => name.toLowerCase()));
    this.#services = this.#createServices(options);
    const routes = [
      attestRoute(this.#services),
      ...agentRoutes(this.#services),
      ...adminRoutes(this.#services),
      ...caRoutes(this.#services),
      ...federationRoutes(this.#services),
      ...openRoutes(this.#services),
    ];
    this.routes = [...routes, openApiRoute(routes, options.version)];
    const appOptions = this.#appOptions();
    this.app = createApp(appOptions);
    this.#listener = straightWay(appOptions, this.app);
    this.#unsubscribe = options.ca.subscribe(() => this.#services.waitingRoom.wake());
  }

  restore(): Promise<void> {
    this.#restored ??= this.#restore();
    return this.#restored;
  }

  async listen(address: ListenAddress): Promise<{ readonly url: string; readonly port: number }> {
    await this.restore();
    const { ca, clock } = this.#options;
    const renewalFailed = (error: unknown): void =>
      this.#logError(error, "the authority's certificate was not renewed");
    const server = await startServer({ app: this.#listener, ca, clock, names: this.#names, renewalFailed }, address);
    this.#servers.push(server);
    this.#serving = true;
    const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
    return { url: `https://${host}:${server.port}`, port: server.port };
  }

  async publish(files: readonly PolicyFile[], actor: string, options: PublishOptions = {}): Promise<PublishResponse> {
    await this.restore();
    return this.#services.publications.publish(files, actor, options);
  }

  status(): AuthorityStatus {
    return this.#services.status();
  }

  jwtIssuer(): string | undefined {
    return this.#services.publications.set?.mesh.oidcDiscovery?.issuer;
  }

  audit(options: { readonly limit?: number } = {}): Promise<readonly AuditEntry[]> {
    return this.#services.audit.list(options);
  }

  async close(): Promise<void> {
    this.#serving = false;
    this.#unsubscribe();
    this.#services.waitingRoom.close();
    await Promise.all([this.#services.foreign.close(), this.#services.outward.close()]);
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  #createServices(options: AuthorityOptions): Services {
    const { ca, clock, version, localNode } = options;
    const records = lazyRecords(options.store);
    const metrics = createMetrics();
    const nodes = new NodeBook();
    const own = localNode === undefined ? {} : { localNode };
    const waitingRoom = new WaitingRoom({ maxWaiting: MAX_WAITING, maxPerCaller: MAX_WAITING_PER_CALLER });
    const foreign = this.#foreignDomains(records.foreign, () => waitingRoom.wake());
    const outward = this.#outwardServers();
    const enforced = async ({ mesh }: PolicySet): Promise<void> => {
      await Promise.all([foreign.follow(mesh), outward.follow(mesh)]).catch((error: unknown) =>
        this.#logError(error, "federation could not follow the mesh"),
      );
    };
    const publications = new Publications({ ca, clock, metrics, log: this.#log, enforced, ...records, ...own });
    const startedAt = clock();
    const status = (): AuthorityStatus => {
      const { set, refused, pending } = publications;
      return statusOf({ ca, set, refused, pending, nodes, version, startedAt, localNode, foreign, outward });
    };
    const { audit, spent } = records;
    const attestation = new TokenEnrolment({
      ca,
      clock,
      keys: this.#keys,
      spent,
      nodes: () => publications.set?.nodes ?? [],
    });
    return {
      attestation,
      foreign,
      outward,
      ca,
      clock,
      version,
      publications,
      nodes,
      audit,
      metrics,
      waitingRoom,
      status,
      ready: () => this.#serving,
    };
  }

  #foreignDomains(store: ForeignBundleStore, changed: () => void): ForeignDomains {
    const { ca, clock, federation = {} } = this.#options;
    return new ForeignDomains({
      own: () => ca.trustBundle(),
      clock,
      store,
      changed,
      problem: (trustDomain, problem) =>
        this.#log.error(
          { trustDomain, problem },
          "the bundle of a federated trust domain cannot be brought up to date",
        ),
      fetch: fetchTrustBundle,
      leastPollSeconds: federation.leastPollSeconds ?? LEAST_POLL_SECONDS,
      webRoots: federation.webRoots,
    });
  }

  #outwardServers(): OutwardServers {
    const { ca, clock } = this.#options;
    const failed = (name: OutwardName, error: unknown): void =>
      this.#logError(error, `${name} does not work as it should`);
    return new OutwardServers({ ca, clock, names: this.#names, failed });
  }

  #appOptions(): AppOptions {
    const { metrics, waitingRoom } = this.#services;
    return {
      routes: this.routes,
      names: this.#names,
      waitingRoom,
      identify: (route, request) => this.#identify(route, request),
      answered(route, status, code) {
        metrics.requests.inc({ route, status: String(status) });
        if (code !== undefined) metrics.refused.inc({ code });
      },
      unexpected: (error) => this.#logError(error, "a request failed"),
    };
  }

  async #identify(route: Route, request: IncomingMessage): Promise<Caller> {
    switch (route.access) {
      case "open":
        return { kind: "anybody" };
      case "admin": {
        const { remoteAddress } = request.socket;
        requireAdmin({ authorization: request.headers.authorization, remoteAddress }, this.#options.adminToken);
        return { kind: "admin" };
      }
      case "agent":
        return this.#identifyAgent(request);
      case "publisher":
        return this.#identifyPublisher(request);
      default:
        return route.access satisfies never;
    }
  }

  #identifyAgent(request: IncomingMessage): Caller {
    const { ca, clock } = this.#options;
    const at = clock();
    const judgement = { bundle: ca.trustBundle(), revocations: ca.revocations().document, at };
    const { certificateNotAfter, ...caller } = verifyAgent(presentedChain(request.socket), judgement);
    this.#services.nodes.seen(caller.node, at, certificateNotAfter);
    return caller;
  }

  /** What looks like a JSON Web Token is judged as one; everything else must be the local admin token. */
  async #identifyPublisher(request: IncomingMessage): Promise<Caller> {
    const { authorization } = request.headers;
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) {
      const { remoteAddress } = request.socket;
      requireAdmin({ authorization, remoteAddress }, this.#options.adminToken);
      return { kind: "admin" };
    }
    const { proofs } = this.#services.publications;
    return { kind: "publisher", ...(await this.#oidc.verify(token, proofs, this.#options.clock())) };
  }

  async #restore(): Promise<void> {
    const { entries } = await this.#options.ca.ledger({ limit: REMEMBERED_ENTRIES });
    for (const entry of entries) {
      if (entry.kind !== "agent" || entry.node === undefined || entry.notAfter === undefined) continue;
      this.#services.nodes.remembered(entry.node, new Date(entry.notAfter));
    }
    await this.#services.publications.restore();
  }

  #logError(error: unknown, message: string): void {
    this.#log.error({ err: error }, message);
  }
}

/** Records whose tables are brought up to date at the first use. */
function lazyRecords(store: Store | undefined): AuthorityRecords {
  if (store === undefined) {
    return {
      archive: memoryPolicyArchive(),
      audit: memoryAuditTrail(),
      spent: memorySpentTokens(),
      foreign: memoryForeignBundleStore(),
    };
  }
  let opened: Promise<AuthorityRecords> | undefined;
  const records = (): Promise<AuthorityRecords> => {
    opened ??= openRecords(store);
    return opened;
  };
  return {
    archive: {
      load: async () => (await records()).archive.load(),
      save: async (set) => (await records()).archive.save(set),
      pending: async () => (await records()).archive.pending(),
      savePending: async (all) => (await records()).archive.savePending(all),
    },
    audit: {
      record: async (entry) => (await records()).audit.record(entry),
      list: async (query) => (await records()).audit.list(query),
    },
    spent: { spend: async (...token) => (await records()).spent.spend(...token) },
    foreign: {
      load: async () => (await records()).foreign.load(),
      save: async (kept) => (await records()).foreign.save(kept),
      remove: async (trustDomain) => (await records()).foreign.remove(trustDomain),
    },
  };
}

/** An error of this folder that says that a port is taken. */
export function isAddressInUse(error: unknown): boolean {
  const cause = error instanceof AuthorityError ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
}
