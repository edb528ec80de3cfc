import type { CallResult } from "../../compose/index.ts";
import { type Identity, identityOf } from "./forged-identities.ts";
import { appOf, type Stage } from "./step.ts";

/** Bytes that an actor sends to a peer's listener by itself. */
export interface StraightCall<In extends Stage> {
  readonly actor: string;
  readonly destination: string;
  readonly port: number;
  readonly bytes: string;
  /** Default: the actor's own; `NO_IDENTITY` is plaintext. */
  readonly identity?: (stage: In) => Promise<Identity | undefined>;
}

/** Speaks plaintext. */
export const NO_IDENTITY = async (): Promise<undefined> => undefined;

/** The actor speaks TLS straight to a peer's listener, past its own sidecar, which would have tidied the request. */
export function straightAt<In extends Stage = Stage>(call: StraightCall<In>): (stage: In) => Promise<CallResult> {
  const { actor, destination, port, bytes, identity = (stage: In) => identityOf(stage, actor) } = call;
  return async (stage) => {
    const used = await identity(stage);
    const shown = used === undefined ? {} : { identity: used };
    return appOf(stage, actor).rawTls({ host: stage.mesh.address(destination), port, bytes, ...shown });
  };
}

/** Bytes of one HTTP/1.1 request, its path as written. */
export function requestBytes(method: string, path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ host: "peer", ...headers, connection: "close" }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}
