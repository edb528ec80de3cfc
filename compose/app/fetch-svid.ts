import { tlsMaterial, X509Source } from "../../spiffe/workload-api/index.ts";

const TIMEOUT_MS = 5_000;

/**
 * Asks the SPIFFE Workload API for this workload's X.509-SVID, as any process with access to the socket can; both as PEM, the chain leaf
 * first. Rejects with the first thing that is in the way: a client that is to stay would try again.
 */
export async function fetchSvid(
  socket: string,
): Promise<{ readonly certificates: string; readonly privateKey: string }> {
  const givenUp = new AbortController();
  const timer = setTimeout(() => givenUp.abort(), TIMEOUT_MS);
  try {
    const source = await X509Source.open({
      address: `unix://${socket}`,
      onProblem: () => givenUp.abort(),
      signal: givenUp.signal,
    });
    const { cert, key } = tlsMaterial(source);
    source.close();
    return { certificates: cert, privateKey: key };
  } finally {
    clearTimeout(timer);
  }
}
