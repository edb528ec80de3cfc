import { CliError } from "./cli-error.ts";

/** A host and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads a port, 0 for a free one; `ERR_CLI_USAGE`. */
export function readListenPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a port`, {
    hint: "give a number from 0 (a free one) to 65535",
  });
}

/** Reads `host:port`, `[::1]:port` or a port of loopback; `ERR_CLI_USAGE`. */
export function readHostPort(text: string): HostPort {
  const [, bracketed, plain, port] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d+)$/.exec(text) ?? [];
  if (port !== undefined) return { host: bracketed ?? plain ?? "127.0.0.1", port: readListenPort(port) };
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not an address`, {
    hint: "write host:port, e.g. 127.0.0.1:9464",
  });
}

/** Reads `tcp://host:port`; `ERR_CLI_USAGE`. */
export function readTcpAddress(text: string): HostPort {
  const [, bracketed, plain, port] = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && port !== undefined) return { host, port: readListenPort(port) };
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not an address to listen at`, {
    hint: "write tcp://host:port, e.g. tcp://0.0.0.0:9191",
  });
}

/** Reads a whole number of seconds; `ERR_CLI_USAGE`. */
export function readSeconds(text: string): number {
  if (/^\d{1,8}$/.test(text)) return Number(text);
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a number of seconds`);
}
