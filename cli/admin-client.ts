import { readFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { resolve } from "node:path";
import type { PeerCertificate } from "node:tls";
import type { z } from "zod";
import { apiError, parseMessage } from "../protocol/index.ts";
import type { AuthorityOptions } from "./authority-options.ts";
import { CliError, systemCode, systemReason } from "./cli-error.ts";
import type { Io } from "./io.ts";
import { readAdminAccess, stateFolder } from "./state-folder.ts";

/** How to reach an authority, and whom to believe. */
export interface AuthorityAccess {
  readonly url: string;
  readonly token: string;
  readonly rootPem: string;
}

/** How to reach the authority that the options name; `ERR_CLI_NO_AUTHORITY` where none runs. */
export function authorityAccess(options: AuthorityOptions, io: Io): AuthorityAccess {
  const running = readAdminAccess(stateFolder(options.state, io.cwd));
  if (options.authority === undefined) {
    if (running !== undefined) return running;
    throw noAuthority(`no authority runs on the state folder \`${options.state}\``);
  }
  const token = options.tokenFile === undefined ? running?.token : readOwn(options.tokenFile, io).trim();
  const rootPem = options.rootFile === undefined ? running?.rootPem : readOwn(options.rootFile, io);
  if (token === undefined || rootPem === undefined) {
    const lacking = token === undefined ? "--token-file" : "--root-file";
    throw new CliError(
      "ERR_CLI_USAGE",
      `\`--authority\` needs \`${lacking}\` where no authority runs on the state folder`,
    );
  }
  return { url: options.authority, token, rootPem };
}

function readOwn(file: string, io: Io): string {
  try {
    return readFileSync(resolve(io.cwd, file), "utf8");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}

function noAuthority(message: string, cause?: unknown): CliError {
  return new CliError("ERR_CLI_NO_AUTHORITY", message, {
    hint: "start one with `cellwall up` (with an agent) or `cellwall authority`, or point `--state` to its folder",
    cause,
  });
}

/** One question to the admin API. */
export interface Question<Answer> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly answer: z.ZodType<Answer>;
}

/** An authority's refusal, with the findings of a refused set. */
export class Refused extends CliError {
  readonly apiCode: string;
  readonly diagnostics: ReturnType<typeof apiError.parse>["error"]["diagnostics"];

  constructor({ code, message, hint, diagnostics }: ReturnType<typeof apiError.parse>["error"]) {
    super("ERR_CLI_REFUSED", message, { hint });
    this.apiCode = code;
    this.diagnostics = diagnostics;
  }
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Asks the authority; throws `Refused` where it says no, `ERR_CLI_NO_AUTHORITY` where it does not answer. */
export async function ask<Answer>(access: AuthorityAccess, question: Question<Answer>): Promise<Answer> {
  const { status, text } = await send(access, question);
  const value: unknown = parseJson(text);
  if (status >= 200 && status < 300) return parseMessage(question.answer, value, "answer of the authority");
  const refused = apiError.safeParse(value);
  if (refused.success) throw new Refused(refused.data.error);
  throw noAuthority(`\`${access.url}\` answers, but not as an authority does (status ${status})`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(
  access: AuthorityAccess,
  { method, path, body }: Question<unknown>,
): Promise<{ status: number; text: string }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options: RequestOptions = {
    method,
    agent: false,
    ca: access.rootPem,
    minVersion: "TLSv1.3",
    checkServerIdentity: requireAuthority,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      authorization: `Bearer ${access.token}`,
      ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    },
  };
  return new Promise((fulfil, reject) => {
    const failed = (error: unknown): void => reject(unreachable(access.url, error));
    const asked = request(new URL(path, access.url), options, (answer) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      answer.on("data", (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_ANSWER_BYTES) asked.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      answer.on("end", () => fulfil({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
      answer.on("error", failed);
    });
    asked.on("error", failed);
    asked.end(text);
  });
}

/**
 * SECURITY: the root signs every workload of the mesh, so a chain to it proves nothing yet: the token goes only to the holder of the
 * authority's own identity.
 */
function requireAuthority(_host: string, certificate: PeerCertificate): Error | undefined {
  const names = (certificate.subjectaltname ?? "").split(", ").filter((name) => name.startsWith("URI:"));
  const [only, ...others] = names;
  const fits = others.length === 0 && /^URI:spiffe:\/\/[a-z0-9._-]+\/cellwall\/authority$/.test(only ?? "");
  return fits ? undefined : new Error("the certificate is not an authority's");
}

function unreachable(url: string, error: unknown): CliError {
  const message = error instanceof Error ? error.message : String(error);
  const code = systemCode(error);
  return noAuthority(
    `the authority at \`${url}\` does not answer: ${code === "ECONNREFUSED" ? "nothing listens there" : message}`,
    error,
  );
}
