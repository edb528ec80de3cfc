import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import { MOZILLA_INTERMEDIATE } from "../../spiffe/bundle-endpoint/index.ts";
import { closeServer, type ListenAddress, listen } from "../server.ts";
import { readCertificateFolder } from "./certificate-folder.ts";

/** A server with a certificate that somebody else renews. */
export interface WebServerOptions {
  readonly app: RequestListener;
  readonly listen: ListenAddress;
  /** Folder with `tls.crt` and `tls.key`. */
  readonly certificate: string;
  /** Told of a renewed certificate that cannot be used; the one before stays. */
  readonly failed: (error: unknown) => void;
  /** How often the files are looked at, in milliseconds. */
  readonly lookMs?: number;
}

const LOOK_MS = 30_000;

/** Serves HTTPS with a certificate from files, taken anew when they change. `ERR_AUTHORITY_CERTIFICATE`, `ERR_AUTHORITY_LISTEN`. */
export async function startWebServer(options: WebServerOptions): Promise<{ close(): Promise<void> }> {
  const first = readCertificateFolder(options.certificate);
  const server = createServer({ ...MOZILLA_INTERMEDIATE, cert: first.cert, key: first.key }, options.app);
  await listen(server, options.listen);
  const stop = followFiles(server, first.version, options);
  return {
    close: () => {
      stop();
      return closeServer(server);
    },
  };
}

function followFiles(
  server: Server,
  first: string,
  { certificate, failed, lookMs = LOOK_MS }: WebServerOptions,
): () => void {
  let known = first;
  let problem = "";
  const timer = setInterval(() => {
    try {
      const { cert, key, version } = readCertificateFolder(certificate);
      if (version !== known) server.setSecureContext({ ...MOZILLA_INTERMEDIATE, cert, key });
      known = version;
      problem = "";
    } catch (error) {
      // A half-written pair is whole a moment later; one that stays so is told of once.
      const text = error instanceof Error ? error.message : String(error);
      if (text !== problem) failed(error);
      problem = text;
    }
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
