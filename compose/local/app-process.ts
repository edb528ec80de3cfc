import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type {
  AppAnswer,
  AppRequest,
  CallResult,
  HttpCall,
  RawTlsCall,
  Received,
  TcpCall,
} from "../shop/app/messages.ts";

type Question = AppRequest extends infer Each ? (Each extends AppRequest ? Omit<Each, "id"> : never) : never;

/** One app of a demo mesh as a process of its own: what it is asked to call, and what it has received. */
export interface AppProcess {
  readonly name: string;
  readonly pid: number;
  http(call: HttpCall): Promise<CallResult>;
  /** As `http`, over a connection to that socket which stays open from call to call. */
  httpOnOpenConnection(call: HttpCall): Promise<CallResult>;
  tcp(call: TcpCall): Promise<CallResult>;
  rawTls(call: RawTlsCall): Promise<CallResult>;
  /** The app's own identity, from its Workload API socket. */
  identity(socket: string): Promise<{ readonly certificates: string; readonly privateKey: string }>;
  received(): Promise<readonly Received[]>;
  stop(): Promise<void>;
}

/** Where an app process listens, and whom it asks. */
export interface AppOptions {
  readonly name: string;
  /** Unix socket that the app listens on; its folder must exist. */
  readonly listen: string;
  /** Unix socket of the database, for the tier that has one. */
  readonly database?: string;
}

/** Starts one app process; resolves when it listens. */
export async function startApp(options: AppOptions): Promise<AppProcess> {
  const database = options.database === undefined ? [] : [options.database];
  const child = fork(appModule(), [options.name, options.listen, ...database], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const waiting = new Map<number, { resolve(answer: AppAnswer): void; reject(error: Error): void }>();
  let next = 1;
  child.once("exit", () => {
    for (const one of waiting.values()) one.reject(new Error(`the ${options.name} app has ended`));
    waiting.clear();
  });
  await readiness(child, options.name, (answer) => {
    if (!("id" in answer)) return;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  const ask = (question: Question): Promise<AppAnswer> =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      child.send({ ...question, id });
    });
  return appOf(child, options.name, ask);
}

function appOf(child: ChildProcess, name: string, ask: (question: Question) => Promise<AppAnswer>): AppProcess {
  const result = async (question: Question): Promise<CallResult> => {
    const answer = await ask(question);
    if ("result" in answer) return answer.result;
    throw new Error("failure" in answer ? answer.failure : "the app gave another kind of answer");
  };
  return {
    name,
    pid: child.pid ?? 0,
    http: (call) => result({ kind: "http", call }),
    httpOnOpenConnection: (call) => result({ kind: "keep-open", call }),
    tcp: (call) => result({ kind: "tcp", call }),
    rawTls: (call) => result({ kind: "raw-tls", call }),
    identity: async (socket) => {
      const answer = await ask({ kind: "fetch-svid", socket });
      if ("identity" in answer) return answer.identity;
      throw new Error("failure" in answer ? answer.failure : "the app gave another kind of answer");
    },
    received: async () => {
      const answer = await ask({ kind: "received" });
      return "received" in answer ? answer.received : [];
    },
    stop: () => stopped(child),
  };
}

function readiness(child: ChildProcess, name: string, onAnswer: (answer: AppAnswer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the ${name} app ended before it listened (exit code ${code})`)));
    child.once("error", reject);
    child.on("message", (answer: AppAnswer) => {
      if ("kind" in answer) resolve();
      else onAnswer(answer);
    });
  });
}

function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill("SIGKILL"), 2_000);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

/** The compiled module; from a source tree, the one that the build put into `dist/`. */
function appModule(): string {
  const beside = fileURLToPath(new URL("../shop/app/main.js", import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL("../../dist/compose/shop/app/main.js", import.meta.url));
}
