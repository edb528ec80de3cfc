import { CheckRequest } from "../../envoy/gen/envoy/service/auth/v3/external_auth.ts";

/** A check as a sidecar sends it; a connection where `http` is absent. */
export interface SampleCheck {
  readonly caller: string;
  readonly destination: string;
  readonly http?: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly serial?: string;
  readonly port?: number;
}

/** Bytes of an `envoy.service.auth.v3.CheckRequest`, by the generated encoder. */
export function checkRequest(sample: SampleCheck): Buffer {
  const { caller, destination, http, port = 8443, serial = "1f" } = sample;
  const headers: Readonly<Record<string, string>> = {
    ":method": http?.method ?? "",
    ":path": http?.path ?? "",
    "x-cellwall-caller": caller,
    "x-cellwall-peer-serial": serial,
    ...http?.headers,
  };
  const request = CheckRequest.fromPartial({
    attributes: {
      source: peer(caller, 40_000),
      destination: peer(destination, port),
      ...(http === undefined
        ? {}
        : {
            request: {
              http: {
                method: http.method,
                path: http.path,
                host: "orders",
                protocol: "HTTP/2",
                headers: new Map(Object.entries(headers)),
              },
            },
          }),
      contextExtensions: new Map([
        ["cellwall.listener", "mesh"],
        ["cellwall.port", String(port)],
      ]),
    },
  });
  return Buffer.from(CheckRequest.encode(request).finish());
}

function peer(principal: string, portValue: number) {
  return {
    principal,
    address: {
      address: {
        $case: "socketAddress" as const,
        value: { address: "127.0.0.1", portSpecifier: { $case: "portValue" as const, value: portValue } },
      },
    },
  };
}
