import { readFileSync } from "node:fs";
import { request } from "node:http";
import { resolve } from "node:path";
import { askAdmin } from "../../envoy/index.ts";
import { type ConfigSource, readSource } from "../../envoy/lint/index.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";

const DUMP = "/config_dump";
const TIMEOUT_MS = 30_000;

/** Reads a configuration: a file, `-` for standard input, or what a running Envoy's admin interface says. `ERR_CLI_FILE`, `ERR_ENVOY_CONFIG`. */
export async function readConfig(config: string, io: Io): Promise<ConfigSource> {
  return readSource(config === "-" ? "stdin" : config, await textOf(config, io));
}

async function textOf(config: string, io: Io): Promise<string> {
  if (config === "-") return io.stdin();
  if (config.startsWith("unix:")) return fromSocket(config, config.slice("unix:".length));
  if (/^https?:\/\//.test(config)) return fromUrl(config);
  try {
    return readFileSync(resolve(io.cwd, config), "utf8");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${config}\`: ${systemReason(error) ?? "unreadable"}`, {
      hint: "name a file, `-`, http://host:port or unix:/path of an admin interface",
      cause: error,
    });
  }
}

async function fromSocket(config: string, path: string): Promise<string> {
  const answer = await askAdmin(path, DUMP, { timeoutMs: TIMEOUT_MS }).catch((error: unknown) => {
    throw noAnswer(config, error);
  });
  return dumpOf(config, answer);
}

/** The address of the interface is enough; a path of one's own is taken as it is, e.g. behind a prefix. */
async function fromUrl(config: string): Promise<string> {
  if (!URL.canParse(config)) throw new CliError("ERR_CLI_USAGE", `\`${config}\` is not a URL`);
  const url = new URL(config);
  if (url.protocol !== "http:") {
    throw new CliError("ERR_CLI_USAGE", `\`${config}\`: Envoy's admin interface speaks plain HTTP`, {
      hint: "write http://host:port, or fetch `/config_dump` yourself and give the file",
    });
  }
  if (url.pathname === "/") url.pathname = DUMP;
  const answer = await fetchText(url).catch((error: unknown) => {
    throw noAnswer(config, error);
  });
  return dumpOf(config, answer);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function fetchText(url: URL): Promise<Answer> {
  return new Promise((fulfil, reject) => {
    const asked = request(url, { agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => fulfil({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
      answer.on("error", reject);
    });
    asked.on("error", reject);
    asked.end();
  });
}

function dumpOf(config: string, { status, body }: Answer): string {
  if (status === 200) return body;
  throw new CliError("ERR_CLI_FILE", `\`${config}\` answers ${status} to ${DUMP}`, {
    hint: "it must be the admin interface of an Envoy that lets `/config_dump` be read",
  });
}

function noAnswer(config: string, error: unknown): CliError {
  return new CliError("ERR_CLI_FILE", `nothing answers at \`${config}\`: ${systemReason(error) ?? String(error)}`, {
    hint: "give the address of the admin interface of a running Envoy",
    cause: error,
  });
}
