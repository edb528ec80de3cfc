import { Client, credentials } from "@grpc/grpc-js";
import { socketPaths } from "../../ext-authz/index.ts";
import { readAnswer } from "../../ext-authz/testing/check-answer.ts";
import { checkRequest, type SampleCheck } from "../../ext-authz/testing/check-request.ts";

/** One connection to a workload's Check socket, as its sidecar keeps it. */
export interface CheckClient {
  /** `allowed`, or the HTTP status and the reason of the denial, e.g. `503 no-policy`. */
  check(sample: SampleCheck): Promise<string>;
  /** The answer's bytes as they came. */
  raw(request: Buffer): Promise<Buffer>;
  close(): void;
}

const asIs = (bytes: Buffer): Buffer => bytes;
const CHECK = "/envoy.service.auth.v3.Authorization/Check";

/** Connects to the Check socket of `shop/<name>`. */
export function checkClient(runDir: string, name: string): CheckClient {
  const { authz } = socketPaths(runDir, { namespace: "shop", name });
  // Its own channel: grpc-js would share one between clients of one address, and reconnect late to a new agent's socket.
  const client = new Client(`unix:${authz}`, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  const raw = (request: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + 5_000;
      client.makeUnaryRequest(CHECK, asIs, asIs, request, { deadline }, (error, response) =>
        error === null && response !== undefined ? resolve(response) : reject(error),
      );
    });
  const check = async (sample: SampleCheck): Promise<string> => {
    const { status, httpStatus, reason } = readAnswer(await raw(checkRequest(sample)));
    return status === 0 ? "allowed" : `${httpStatus} ${reason}`;
  };
  return { raw, check, close: () => client.close() };
}
