import { type Server, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService } from "../gen/envoy/service/secret/v3/sds.ts";
import type { OpenSecretStream, SecretDiscovery } from "./secret-discovery.ts";
import { SECRET_TYPE_URL } from "./secrets.ts";

/** Serves `discovery` as `/envoy.service.secret.v3.SecretDiscoveryService/{StreamSecrets,DeltaSecrets,FetchSecrets}`. */
export function addSecretDiscovery(server: Server, discovery: SecretDiscovery): void {
  server.addService(SecretDiscoveryServiceService, {
    streamSecrets: (call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) =>
      serveStream(call, discovery.open({ send: (response) => void call.write(response) })),
    deltaSecrets: (call: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>) =>
      serveStream(call, discovery.openDelta({ send: (response) => void call.write(response) })),
    fetchSecrets: (
      call: ServerUnaryCall<DiscoveryRequest, DiscoveryResponse>,
      callback: sendUnaryData<DiscoveryResponse>,
    ) => {
      const { typeUrl } = call.request;
      if (typeUrl === "" || typeUrl === SECRET_TYPE_URL) callback(null, discovery.fetch(call.request));
      else callback({ code: status.INVALID_ARGUMENT, details: "only tls secrets are served here" });
    },
  });
}

function serveStream<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  stream: OpenSecretStream<Request>,
): void {
  call.on("data", (request: Request) => stream.receive(request));
  call.on("end", () => {
    stream.close();
    call.end();
  });
  call.on("error", () => stream.close());
  call.on("cancelled", () => stream.close());
}
