import type { HeaderValue } from "../gen/envoy/config/core/v3/base.ts";
import { CheckRequest } from "../gen/envoy/service/auth/v3/external_auth.ts";

/** What a test says of a request; everything else is as a generated sidecar sends it. */
export interface CheckInput {
  readonly source?: string;
  readonly sourceAddress?: string;
  /** URL-encoded PEM of the peer's certificate. */
  readonly certificate?: string;
  readonly destination?: string;
  readonly destinationPort?: number;
  readonly context?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  /** Raw form: a `Uint8Array` goes to `raw_value`, a text too; undefined is an empty value. */
  readonly headers?: readonly (readonly [string, string | Uint8Array | undefined])[];
  /** Joined form, instead of the raw one. */
  readonly joined?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly tcp?: boolean;
}

const MESH = { "cellwall.listener": "mesh", "cellwall.port": "8443" };

/** Bytes of a `CheckRequest` as Envoy would send them. */
export function checkRequest(input: CheckInput = {}): Uint8Array {
  const http = {
    method: input.method ?? "GET",
    path: input.path ?? "/orders/42",
    host: input.host ?? "orders.test",
    protocol: "HTTP/2",
    scheme: "https",
    ...(input.joined === undefined
      ? { headerMap: { headers: rawHeaders(input) } }
      : { headers: new Map(Object.entries(input.joined)) }),
  };
  const message = CheckRequest.fromPartial({
    attributes: {
      source: {
        principal: input.source ?? "spiffe://cell.test/shop/web",
        address: at(input.sourceAddress ?? "10.0.0.7", 40_000),
        certificate: input.certificate ?? "",
      },
      destination: {
        principal: input.destination ?? "spiffe://cell.test/shop/orders",
        address: at("10.0.0.8", input.destinationPort ?? 8443),
      },
      contextExtensions: new Map(Object.entries(input.tcp ? {} : (input.context ?? MESH))),
      metadataContext: { filterMetadata: new Map(Object.entries(input.metadata ?? {})) as Map<string, never> },
      ...(input.tcp ? {} : { request: { http } }),
    },
  });
  return CheckRequest.encode(message).finish();
}

function at(address: string, portValue: number) {
  return {
    address: {
      $case: "socketAddress" as const,
      value: { address, portSpecifier: { $case: "portValue" as const, value: portValue } },
    },
  };
}

function rawHeaders(input: CheckInput): HeaderValue[] {
  const pseudo: [string, string][] = [
    [":method", input.method ?? "GET"],
    [":path", input.path ?? "/orders/42"],
    [":authority", input.host ?? "orders.test"],
    [":scheme", "https"],
  ];
  return [...pseudo, ...(input.headers ?? [])].map(([key, value]) => ({
    key,
    value: "",
    rawValue: typeof value === "string" ? Buffer.from(value) : (value ?? new Uint8Array(0)),
  }));
}
