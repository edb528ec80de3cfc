import { request } from "node:http";

/** An answer of Envoy's admin interface. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks Envoy's admin interface over its unix socket. Rejects where nothing listens or no answer comes within `timeoutMs`. */
export function askAdmin(
  socketPath: string,
  path: string,
  { method = "GET", timeoutMs = 5_000 }: { readonly method?: "GET" | "POST"; readonly timeoutMs?: number } = {},
): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { host: "envoy", connection: "close" };
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ socketPath, path, method, headers, agent: false, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}
