import { CliError } from "../cli-error.ts";

/** A request as it is written on the command line. */
export type WrittenRequest =
  | {
      readonly kind: "http";
      readonly method: string;
      readonly path: string;
      readonly headers: readonly Header[];
      readonly upgrade?: "websocket";
    }
  | { readonly kind: "tcp"; readonly port?: number };

/** A header's lower-case name and its value. */
export type Header = readonly [name: string, value: string];

const HINT = 'write "GET /orders/42", "grpc shop.Orders/Get", "websocket /live" or "tcp 5432"';

/** Reads `GET /path`, `grpc pkg.Service/Method`, `websocket /path` or `tcp port`; `ERR_CLI_USAGE`. */
export function readRequest(text: string): WrittenRequest {
  const [, word = "", rest = ""] = /^(\S+)(?:\s+(\S.*))?$/.exec(text.trim()) ?? [];
  if (word === "tcp") return { kind: "tcp", ...(rest === "" ? {} : { port: readPort(rest) }) };
  if (word === "grpc" && /^[\w.]+\/\w+$/.test(rest)) {
    return { kind: "http", method: "POST", path: `/${rest}`, headers: [["content-type", "application/grpc"]] };
  }
  if (word === "websocket" && rest.startsWith("/")) {
    return { kind: "http", method: "GET", path: rest, headers: [], upgrade: "websocket" };
  }
  // The path is handed on as it stands: what is wrong with it is for the decision to say.
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(word) && rest !== "")
    return { kind: "http", method: word, path: rest, headers: [] };
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a request`, { hint: HINT });
}

/** Reads a port number; `ERR_CLI_USAGE`. */
export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a port`);
}

/** Reads `name:value`; `ERR_CLI_USAGE`. The value's bytes are those of its UTF-8 text, one character a byte. */
export function readHeader(text: string): Header {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a header`, { hint: "write `--header name:value`" });
  }
  return [name.toLowerCase(), Buffer.from(value, "utf8").toString("latin1")];
}
