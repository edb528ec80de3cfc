import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { type JwtSvid, parseJwtSvid } from "../jwt-svid.ts";
import { SpiffeError } from "../spiffe-error.ts";
import { parseSpiffeId, type SpiffeId } from "../spiffe-id.ts";
import type { TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";
import { readJwtBundles, readX509BundlesAnswer, readX509Context, type X509Context } from "./answers.ts";
import { endpointTarget } from "./endpoint.ts";
import { SpiffeWorkloadAPIService as service } from "./gen/workloadapi.ts";
import { SECURITY_HEADER } from "./server.ts";

/** Where a client finds the Workload API, and how it waits. */
export interface WorkloadApiOptions {
  /** `unix:///path` or `tcp://ip:port`; `SPIFFE_ENDPOINT_SOCKET` without it. */
  readonly address?: string;
  /** Told of whatever makes a stream begin anew; the client goes on by itself. */
  readonly onProblem?: (error: SpiffeError) => void;
  /** How long to wait before the nth try in a row, from 1, in milliseconds; 1 s more each time, at most 30 s, without it. */
  readonly backoffMs?: (attempt: number) => number;
}

/** What comes of a stream. */
export interface Watcher<T> {
  /** The complete state, at once and after each change. */
  updated(state: T): void;
  /** The Workload API has no identity for this workload, or no longer: what was told before holds no more. */
  withdrawn(error: SpiffeError): void;
  /** An attempt failed that may succeed later; what was told before still holds. */
  failed?(error: SpiffeError): void;
  /** Trying again cannot help; nothing more comes. */
  ended(error: SpiffeError): void;
}

type Bundles = ReadonlyMap<TrustDomain, TrustBundle>;
type StreamMethod<Response> = {
  readonly path: string;
  readonly requestSerialize: (request: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
};

const UNARY_TIMEOUT_MS = 30_000;
/** A Workload API that begins anew is found again within this time. */
const RECONNECT_MS = 5_000;

/** A client of the SPIFFE Workload API, every call of it. Most programs want `X509Source` and `JwtSource`. */
export class WorkloadApiClient {
  readonly #client: Client;
  readonly #options: WorkloadApiOptions;
  readonly #closed = new AbortController();

  /** Throws `SpiffeError` `ERR_SPIFFE_ENDPOINT`. Connects with the first call. */
  constructor(options: WorkloadApiOptions = {}) {
    this.#options = options;
    this.#client = new Client(endpointTarget(options.address, process.env), credentials.createInsecure(), {
      "grpc.initial_reconnect_backoff_ms": 200,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MS,
      "grpc.service_config_disable_resolution": 1,
      "grpc.enable_http_proxy": 0,
    });
  }

  /** Follows the workload's X.509-SVIDs and bundles until the client closes. */
  watchX509Context(watcher: Watcher<X509Context>): void {
    void this.#watch(service.fetchX509Svid, readX509Context, watcher);
  }

  /** Follows the X.509 bundles alone. */
  watchX509Bundles(watcher: Watcher<Bundles>): void {
    void this.#watch(service.fetchX509Bundles, readX509BundlesAnswer, watcher);
  }

  /** Follows the JWT bundles. */
  watchJwtBundles(watcher: Watcher<Bundles>): void {
    void this.#watch(service.fetchJwtBundles, readJwtBundles, watcher);
  }

  /**
   * Asks for JWT-SVIDs for these audiences: of the given identity, or of each that the workload has. Rejects with
   * `SpiffeError` `ERR_SPIFFE_NO_IDENTITY`, `ERR_SPIFFE_UNAVAILABLE`, `ERR_SPIFFE_WORKLOAD_API`, `ERR_SPIFFE_ANSWER`.
   */
  async fetchJwtSvids(options: {
    readonly audience: readonly string[];
    readonly id?: SpiffeId;
    readonly signal?: AbortSignal;
  }): Promise<readonly JwtSvid[]> {
    const request = { audience: [...options.audience], spiffeId: options.id?.toString() ?? "" };
    const response = await this.#call(service.fetchJwtsvid, request, options.signal);
    return response.svids.map(({ svid, spiffeId }) => {
      const read = tryRead(() => parseJwtSvid(svid));
      if (read.id.toString() === spiffeId) return read;
      throw new SpiffeError("ERR_SPIFFE_ANSWER", "the Workload API sent a token that names another identity");
    });
  }

  /**
   * Has the Workload API verify a token for an audience. Rejects as `fetchJwtSvids`; a token that does not verify is
   * `ERR_SPIFFE_WORKLOAD_API`.
   */
  async validateJwtSvid(
    token: string,
    options: { readonly audience: string; readonly signal?: AbortSignal },
  ): Promise<{ readonly id: SpiffeId; readonly claims: ReadonlyMap<string, unknown> }> {
    const request = { audience: options.audience, svid: token };
    const response = await this.#call(service.validateJwtsvid, request, options.signal);
    return {
      id: tryRead(() => parseSpiffeId(response.spiffeId)),
      claims: new Map(Object.entries(response.claims ?? {})),
    };
  }

  /** Ends every stream and call. */
  close(): void {
    this.#closed.abort();
    this.#client.close();
  }

  async #watch<Response, T>(method: StreamMethod<Response>, read: (response: Response) => T, watcher: Watcher<T>) {
    const { signal } = this.#closed;
    let attempt = 0;
    while (!signal.aborted) {
      const error = await this.#stream(method, (response) => {
        attempt = 0;
        watcher.updated(read(response));
      });
      if (signal.aborted) return;
      if (error.code === "ERR_SPIFFE_WORKLOAD_API") {
        watcher.ended(error);
        return;
      }
      if (error.code === "ERR_SPIFFE_NO_IDENTITY") watcher.withdrawn(error);
      else watcher.failed?.(error);
      this.#options.onProblem?.(error);
      attempt += 1;
      // Keeps the process up as an open stream does: a program that waits for its first identity must not end meanwhile.
      await delay(this.#waitMs(attempt), undefined, { signal }).catch(() => undefined);
    }
  }

  #waitMs(attempt: number): number {
    return this.#options.backoffMs?.(attempt) ?? Math.min(attempt, 30) * 1000;
  }

  /** One stream from beginning to end; resolves with why it ended. */
  #stream<Response>(method: StreamMethod<Response>, take: (response: Response) => void): Promise<SpiffeError> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve) => {
      const call: ClientReadableStream<Response> = this.#client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        {},
        securityHeader(),
      );
      const stop = (): void => call.cancel();
      this.#closed.signal.addEventListener("abort", stop, { once: true });
      const end = (error: SpiffeError): void => {
        this.#closed.signal.removeEventListener("abort", stop);
        resolve(error);
      };
      call.on("data", (response: Response) => {
        try {
          take(response);
        } catch (error) {
          // What was told before stays, and the stream begins anew.
          end(asSpiffeError(error));
          call.cancel();
        }
      });
      call.on("error", (error: ServiceError) => end(errorOfCall(error)));
      call.on("end", () => end(new SpiffeError("ERR_SPIFFE_UNAVAILABLE", "the Workload API ended the stream")));
    });
  }

  #call<Request, Response>(
    method: {
      readonly path: string;
      readonly requestSerialize: (request: Request) => Buffer;
      readonly responseDeserialize: (bytes: Buffer) => Response;
    },
    request: Request,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    if (this.#closed.signal.aborted) return Promise.reject(closed());
    const deadline = Date.now() + UNARY_TIMEOUT_MS;
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        securityHeader(),
        { deadline },
        (error, response) => {
          signal?.removeEventListener("abort", stop);
          if (error === null && response !== undefined) resolve(response);
          else reject(error === null ? closed() : errorOfCall(error));
        },
      );
      const stop = (): void => call.cancel();
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
  }
}

function securityHeader(): Metadata {
  const metadata = new Metadata();
  metadata.set(SECURITY_HEADER, "true");
  return metadata;
}

const closed = (): SpiffeError => new SpiffeError("ERR_SPIFFE_CLOSED", "the client of the Workload API is closed");

function asSpiffeError(error: unknown): SpiffeError {
  if (error instanceof SpiffeError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new SpiffeError("ERR_SPIFFE_ANSWER", `the Workload API's answer cannot be taken: ${why}`, { cause: error });
}

function tryRead<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SpiffeError("ERR_SPIFFE_ANSWER", `the Workload API's answer cannot be read: ${why}`, { cause: error });
  }
}

/** What a status means to a caller (Workload Endpoint, section 6). */
function errorOfCall(error: ServiceError): SpiffeError {
  const options = { cause: error };
  switch (error.code) {
    case status.PERMISSION_DENIED:
      return new SpiffeError(
        "ERR_SPIFFE_NO_IDENTITY",
        `the Workload API has no identity for this program: ${error.details}`,
        { ...options, hint: "is the workload registered, and may this node run it?" },
      );
    case status.INVALID_ARGUMENT:
    case status.UNIMPLEMENTED:
      return new SpiffeError("ERR_SPIFFE_WORKLOAD_API", `the Workload API refuses the call: ${error.details}`, options);
    default:
      return new SpiffeError("ERR_SPIFFE_UNAVAILABLE", `the Workload API does not answer: ${error.details}`, options);
  }
}
