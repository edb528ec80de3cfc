import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { WorkloadApiProvider } from "../provider.ts";
import { addWorkloadApi } from "../server.ts";
import type { WorkloadState } from "../state.ts";

/** A provider whose state a test sets. */
export class SettableProvider implements WorkloadApiProvider {
  issueJwtSvid?: NonNullable<WorkloadApiProvider["issueJwtSvid"]>;
  foreignClaims: readonly string[] = [];
  now: () => Date = () => new Date();
  patienceMs = 50;
  #state: WorkloadState = { kind: "pending" };
  readonly #listeners = new Set<() => void>();

  get state(): WorkloadState {
    return this.#state;
  }

  /** Streams that listen now. */
  get listeners(): number {
    return this.#listeners.size;
  }

  set(state: WorkloadState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A Workload API on a socket of its own. */
export interface ServedWorkloadApi {
  readonly path: string;
  /** As `SPIFFE_ENDPOINT_SOCKET` names it. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Serves a provider on a unix socket in a folder of its own, or on the given path. */
export async function serveWorkloadApi(provider: WorkloadApiProvider, at?: string): Promise<ServedWorkloadApi> {
  const path = at ?? join(mkdtempSync(join(tmpdir(), "cw-")), "workload.sock");
  mkdirSync(dirname(path), { recursive: true });
  const server = new Server();
  addWorkloadApi(server, provider);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    path,
    address: `unix://${path}`,
    stop: async () => {
      server.forceShutdown();
      rmSync(dirname(path), { recursive: true, force: true });
    },
  };
}

/** Waits for a condition with a deadline. */
export async function eventually(what: string, holds: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} did not come within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
