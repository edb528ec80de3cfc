/** What the process that plays a scenario asks of an app process. Answers carry the same `id`. */
export type AppRequest =
  | { readonly id: number; readonly kind: "http"; readonly call: HttpCall }
  | { readonly id: number; readonly kind: "tcp"; readonly call: TcpCall }
  | { readonly id: number; readonly kind: "raw-tls"; readonly call: RawTlsCall }
  | { readonly id: number; readonly kind: "keep-open"; readonly call: HttpCall }
  | { readonly id: number; readonly kind: "grpc"; readonly call: GrpcCall }
  | { readonly id: number; readonly kind: "fetch-svid"; readonly socket: string }
  | { readonly id: number; readonly kind: "open-ports"; readonly host: string; readonly ports: readonly number[] }
  | { readonly id: number; readonly kind: "listening-ports" }
  | { readonly id: number; readonly kind: "pause" }
  | { readonly id: number; readonly kind: "received" };

/** One HTTP/1.1 request over a local socket, the path sent as it is written. */
export interface HttpCall {
  /** Unix socket path. */
  readonly socket: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One unary gRPC call over a local socket. */
export interface GrpcCall {
  readonly socket: string;
  /** `package.Service/Method`. */
  readonly method: string;
  readonly message?: Readonly<Record<string, unknown>>;
}

/** One line sent over a local socket. */
export interface TcpCall {
  readonly socket: string;
  readonly line: string;
}

/** Bytes sent over TLS straight to a peer's listener, past the own sidecar; without `identity` as plaintext. */
export interface RawTlsCall {
  readonly host: string;
  readonly port: number;
  readonly bytes: string;
  readonly identity?: { readonly certificates: string; readonly privateKey: string };
}

/** What a call came to. */
export interface CallResult {
  /** HTTP status; absent where no HTTP answer came. */
  readonly status?: number;
  /** gRPC status code, for a gRPC call: 0 is success, 7 PERMISSION_DENIED. */
  readonly grpcStatus?: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytesReceived: number;
  /** Why there was no answer, e.g. `ECONNRESET` or a TLS alert. */
  readonly error?: string;
}

/** One request or connection as the app saw it. */
export interface Received {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For connections: what was read. */
  readonly bytes?: number;
}

export type AppAnswer =
  | { readonly id: number; readonly result: CallResult }
  | { readonly id: number; readonly received: readonly Received[] }
  | { readonly id: number; readonly ports: readonly number[] }
  | { readonly id: number; readonly identity: { readonly certificates: string; readonly privateKey: string } }
  | { readonly id: number; readonly failure: string }
  | { readonly kind: "ready" };
