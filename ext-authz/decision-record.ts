import { type Attributes, type Decision, isGrpc, printable } from "../policies/index.ts";

/** One line of the decision log. No headers, no query, no body, ever. */
export type LogRecord = DecisionRecord | ConnectionRefusedRecord | RequestRefusedRecord;

interface RecordBase {
  /** ISO 8601, UTC. */
  readonly time: string;
  /** `<namespace>/<name>` of the workload whose sidecar asked or reported. */
  readonly workload: string;
}

/** A decision of this agent. */
export interface DecisionRecord extends RecordBase, Decision {
  readonly kind: "decision";
  /** 0 where the request could not be read. */
  readonly listenerPort: number;
  readonly listenerKind?: "mesh" | "edge";
  /** Absent for a connection. */
  readonly method?: string;
  /** The path pattern of the deciding line. */
  readonly pathTemplate?: string;
  readonly upgrade?: string;
  /** Whether an HTTP request is gRPC by its content type; absent for a connection and where that is withheld. */
  readonly grpc?: boolean;
  /** Envoy's id of the request (`x-request-id`), a UUID: finds it in access logs and traces. */
  readonly requestId?: string;
  readonly peerAddress?: string;
  /** Only of a sidecar that asked over the network: the identity of its client certificate, and where it asked from. */
  readonly sidecar?: string;
  readonly sidecarAddress?: string;
}

/** A connection that the sidecar refused in the TLS handshake. */
export interface ConnectionRefusedRecord extends RecordBase {
  readonly kind: "connection-refused";
  readonly listenerPort?: number;
  /** E.g. `no-client-certificate`, `untrusted-certificate`, `san-mismatch`, `plaintext`. */
  readonly reason: string;
  readonly peerAddress?: string;
  /** What the refused certificate said of itself. Nothing has verified it. */
  readonly unverifiedPeer?: string;
}

/** A request that the sidecar itself refused before any decision, e.g. for a malformed path. */
export interface RequestRefusedRecord extends RecordBase {
  readonly kind: "request-refused";
  readonly listenerPort?: number;
  /** Envoy's response code details, e.g. `path_normalization_failed`. */
  readonly reason: string;
  /** HTTP status that the sidecar answered with. */
  readonly status?: number;
  readonly method?: string;
  /** As it came, without the query: the sidecar refused to make sense of it. */
  readonly path?: string;
  readonly peerAddress?: string;
  readonly caller?: string;
}

/** A sidecar that asks over the network. */
export interface AskingSidecar {
  /** Identity of its verified client certificate. */
  readonly identity: string;
  /** IP address and port. */
  readonly address: string;
}

/** What the check handler hands over for each decision. */
export interface Observed {
  readonly workload: string;
  readonly atMs: number;
  readonly decision: Decision;
  /** Absent where the request could not be read. */
  readonly attributes: Attributes | undefined;
  readonly from?: AskingSidecar | undefined;
  readonly requestId?: string | undefined;
}

/** A decision's record. Texts that came from outside are made printable. */
export function decisionRecord(observed: Observed): DecisionRecord {
  const { decision, attributes } = observed;
  const http = attributes?.http;
  const grpc = attributes === undefined ? undefined : isGrpc(attributes);
  return {
    ...decision,
    ...printed("detail", decision.detail),
    ...printed("path", decision.path),
    ...printed("caller", decision.caller),
    kind: "decision",
    time: new Date(observed.atMs).toISOString(),
    workload: observed.workload,
    listenerPort: attributes?.listener.port ?? 0,
    ...(attributes === undefined ? {} : { listenerKind: attributes.listener.kind }),
    ...printed("method", http?.method),
    ...printed("pathTemplate", pathTemplateOf(decision.line)),
    ...printed("upgrade", http?.upgrade),
    ...(grpc === undefined ? {} : { grpc }),
    ...printed("requestId", observed.requestId),
    ...printed("peerAddress", attributes?.peerAddress),
    ...printed("sidecar", observed.from?.identity),
    ...printed("sidecarAddress", observed.from?.address),
  };
}

/** `/orders/{id}` of the line id `shop/orders/reads#GET|HEAD /orders/{id}`; undefined where the line has no path. */
export function pathTemplateOf(line: string | undefined): string | undefined {
  const text = line?.slice(line.indexOf("#") + 1);
  const path = text?.slice(text.indexOf(" ") + 1);
  return path?.startsWith("/") ? path : undefined;
}

function printed<K extends string>(key: K, text: string | undefined): { readonly [key in K]?: string } {
  if (text === undefined) return {};
  const entry: { [key in K]?: string } = {};
  entry[key] = printable(text);
  return entry;
}
