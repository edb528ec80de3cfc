import type { CertificateAuthority } from "../../ca/index.ts";
import type { ListenOn, Mesh } from "../../policies/index.ts";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { type ServerOptions, startServer } from "../server.ts";
import { documentServer } from "./document-server.ts";
import { DISCOVERY_PATH, discoveryDocument, keySet, keysUrl } from "./documents.ts";
import { startWebServer } from "./web-server.ts";

/** What the outward servers stand on. */
export interface OutwardOptions {
  readonly ca: ServerOptions["ca"] & Pick<CertificateAuthority, "trustBundle">;
  readonly clock: () => Date;
  readonly names: ReadonlySet<string>;
  /** Told of what went wrong, with the server's name. */
  readonly failed: (name: OutwardName, error: unknown) => void;
  /** How often certificate files are looked at, in milliseconds. */
  readonly lookMs?: number;
}

/** The servers for others than agents. */
export type OutwardName = "bundleEndpoint" | "oidcDiscovery";

/** Whether a server runs as the mesh says. */
export interface OutwardStatus {
  readonly name: OutwardName;
  readonly listen: ListenOn;
  /** Why it does not listen; absent while it does. */
  readonly problem?: string;
}

interface Slot {
  readonly config: string;
  readonly listen: ListenOn;
  readonly server?: { close(): Promise<void> };
  readonly problem?: string;
}

/** The bundle endpoint and OIDC discovery, as the mesh in force says; one that cannot listen is tried again with the next mesh. */
export class OutwardServers {
  readonly #options: OutwardOptions;
  readonly #slots = new Map<OutwardName, Slot>();
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: OutwardOptions) {
    this.#options = options;
  }

  /** Opens, moves and closes servers until they are what the mesh says. Never rejects. */
  follow(mesh: Pick<Mesh, OutwardName>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const { bundleEndpoint, oidcDiscovery } = mesh;
      const serve = oidcDiscovery?.serve;
      await this.#put("bundleEndpoint", bundleEndpoint?.listen, bundleEndpoint, () => this.#bundleEndpoint(mesh));
      await this.#put("oidcDiscovery", serve?.listen, oidcDiscovery, () => this.#oidcDiscovery(mesh));
    });
    return this.#queue;
  }

  status(): readonly OutwardStatus[] {
    return [...this.#slots].map(([name, { listen, problem }]) => ({
      name,
      listen,
      ...(problem === undefined ? {} : { problem }),
    }));
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#closed = true;
    await Promise.all([...this.#slots.values()].map(({ server }) => server?.close()));
    this.#slots.clear();
  }

  async #put(
    name: OutwardName,
    listen: ListenOn | undefined,
    wanted: unknown,
    open: () => Promise<{ close(): Promise<void> }>,
  ): Promise<void> {
    const config = JSON.stringify(wanted);
    const slot = this.#slots.get(name);
    if (this.#closed || (slot?.server !== undefined && slot.config === config)) return;
    this.#slots.delete(name);
    await slot?.server?.close();
    if (listen === undefined) return;
    try {
      this.#slots.set(name, { config, listen, server: await open() });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#slots.set(name, { config, listen, problem });
      this.#options.failed(name, error);
    }
  }

  #bundleEndpoint({ bundleEndpoint }: Pick<Mesh, OutwardName>): Promise<{ close(): Promise<void> }> {
    if (bundleEndpoint === undefined) throw new TypeError("a bundle endpoint that nobody asked for");
    const { ca, clock, names, failed, lookMs } = this.#options;
    const app = documentServer(new Map([["/", () => formatTrustBundle(ca.trustBundle())]]));
    const told = (error: unknown): void => failed("bundleEndpoint", error);
    const { listen } = bundleEndpoint;
    if (bundleEndpoint.profile === "https_spiffe") {
      return startServer({ app, clients: "anybody", ca, clock, names, renewalFailed: told }, listen);
    }
    const { certificate } = bundleEndpoint;
    return startWebServer({ app, listen, certificate, failed: told, ...(lookMs === undefined ? {} : { lookMs }) });
  }

  #oidcDiscovery({ oidcDiscovery }: Pick<Mesh, OutwardName>): Promise<{ close(): Promise<void> }> {
    const serve = oidcDiscovery?.serve;
    if (oidcDiscovery === undefined || serve === undefined) throw new TypeError("discovery that nobody asked for");
    const { ca, failed, lookMs } = this.#options;
    const { issuer } = oidcDiscovery;
    const below = new URL(issuer).pathname.replace(/\/$/, "");
    const app = documentServer(
      new Map([
        [`${below}${DISCOVERY_PATH}`, () => discoveryDocument(issuer)],
        [new URL(keysUrl(issuer)).pathname, () => keySet(ca.trustBundle())],
      ]),
    );
    const told = (error: unknown): void => failed("oidcDiscovery", error);
    return startWebServer({ app, ...serve, failed: told, ...(lookMs === undefined ? {} : { lookMs }) });
  }
}
