import { createSecureContext } from "node:tls";
import { Client, credentials } from "@grpc/grpc-js";
import { readAnswer } from "./check-answer.ts";

/** What a sidecar elsewhere shows and whom it believes, as PEM. */
export interface NetworkClientOptions {
  readonly rootPem: string;
  readonly chainPem?: string;
  readonly keyPem?: string;
}

/** A connection of a sidecar elsewhere. */
export interface NetworkClient {
  /** The answer, or `closed` where there was none. */
  check(request: Uint8Array): Promise<ReturnType<typeof readAnswer> | "closed">;
  close(): void;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** Asks at `tcp://host:port` as a sidecar does; the server's certificate must lead to the root, its name is not looked at. */
export function networkClient(address: string, { rootPem, chainPem, keyPem }: NetworkClientOptions): NetworkClient {
  const context = createSecureContext({
    ca: rootPem,
    minVersion: "TLSv1.3",
    ...(chainPem === undefined ? {} : { cert: chainPem, key: keyPem }),
  });
  const secure = credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
  const client = new Client(address.replace("tcp://", ""), secure, { "grpc.enable_retries": 0 });
  return {
    check: (request) =>
      new Promise((resolve) => {
        const deadline = Date.now() + 10_000;
        client.makeUnaryRequest(
          "/envoy.service.auth.v3.Authorization/Check",
          asIs,
          asIs,
          Buffer.from(request),
          { deadline },
          (error, response) => resolve(error === null && response !== undefined ? readAnswer(response) : "closed"),
        );
      }),
    close: () => client.close(),
  };
}
