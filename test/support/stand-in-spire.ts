import { Server, ServerCredentials } from "@grpc/grpc-js";
import { addSecretDiscovery, SecretDiscovery } from "../../envoy/index.ts";
import type { TrustBundle, X509Svid } from "../../spiffe/index.ts";
import { addWorkloadApi, type WorkloadState } from "../../spiffe/workload-api/index.ts";

/** What a SPIRE agent serves on its socket: the SPIFFE Workload API, and secrets for Envoy under the same names. */
export interface StandInSpire {
  /** `unix:/path` */
  readonly address: string;
  /** Gives whoever asks this identity and these anchors from now on. */
  serve(svid: X509Svid, bundle: TrustBundle): void;
  close(): void;
}

/** Serves both on one socket. It attests nobody: everybody who reaches the socket is that one workload. */
export async function startStandInSpire(path: string, svid: X509Svid, bundle: TrustBundle): Promise<StandInSpire> {
  const listeners = new Set<() => void>();
  let state = present(svid, bundle);
  const discovery = new SecretDiscovery({ clock: () => new Date() });
  const offer = (own: X509Svid, trust: TrustBundle): void =>
    discovery.setSecrets({ svid: own, trustBundles: [trust], serverFirst: new Map() });
  const server = new Server();
  addWorkloadApi(server, {
    now: () => new Date(),
    get state() {
      return state;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  addSecretDiscovery(server, discovery);
  offer(svid, bundle);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  return {
    address: `unix:${path}`,
    serve: (own, trust) => {
      state = present(own, trust);
      offer(own, trust);
      for (const listener of [...listeners]) listener();
    },
    close: () => server.forceShutdown(),
  };
}

function present(svid: X509Svid, bundle: TrustBundle): WorkloadState {
  const { trustDomain } = bundle;
  return { kind: "present", svid, trust: { trustDomain, bundles: new Map([[trustDomain, bundle]]) } };
}
