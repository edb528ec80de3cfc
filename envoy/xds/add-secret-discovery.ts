import { type Server, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import type { DiscoveryRequest, DiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService } from "../gen/envoy/service/secret/v3/sds.ts";
import type { SecretDiscovery } from "./secret-discovery.ts";
import { SECRET_TYPE_URL } from "./secrets.ts";

/** Serves `discovery` as `/envoy.service.secret.v3.SecretDiscoveryService/{StreamSecrets,FetchSecrets}`. */
export function addSecretDiscovery(server: Server, discovery: SecretDiscovery): void {
  server.addService(SecretDiscoveryServiceService, {
    streamSecrets: (call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) => serveStream(call, discovery),
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

function serveStream(call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>, discovery: SecretDiscovery): void {
  const stream = discovery.open({ send: (response) => void call.write(response) });
  call.on("data", (request: DiscoveryRequest) => stream.receive(request));
  call.on("end", () => {
    stream.close();
    call.end();
  });
  call.on("error", () => stream.close());
  call.on("cancelled", () => stream.close());
}
