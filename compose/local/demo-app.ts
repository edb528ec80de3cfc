import type {
  AppAnswer,
  AppRequest,
  CallResult,
  GrpcCall,
  HttpCall,
  RawTlsCall,
  Received,
  TcpCall,
} from "../app/messages.ts";

/** One app of a demo mesh, wherever it runs: what it is asked to call, and what it has received. */
export interface DemoApp {
  readonly name: string;
  http(call: HttpCall): Promise<CallResult>;
  /** As `http`, over a connection to that socket which stays open from call to call. */
  httpOnOpenConnection(call: HttpCall): Promise<CallResult>;
  grpc(call: GrpcCall): Promise<CallResult>;
  tcp(call: TcpCall): Promise<CallResult>;
  rawTls(call: RawTlsCall): Promise<CallResult>;
  /** The app's own identity, from its Workload API socket. */
  identity(socket: string): Promise<{ readonly certificates: string; readonly privateKey: string }>;
  /** Which of these TCP ports of a host accept a connection from where the app is. */
  openPorts(host: string, ports: readonly number[]): Promise<readonly number[]>;
  /** Every TCP port that something listens on where the app is, loopback excepted. */
  listeningPorts(): Promise<readonly number[]>;
  /** Ends the app's own traffic for as long as it is driven from here. */
  pause(): Promise<void>;
  received(): Promise<readonly Received[]>;
  /** Ends the process, or the connection to it where something else runs it. */
  stop(): Promise<void>;
}

/** Questions to an app and the answers that come back, told apart by their numbers. */
export class Conversation {
  readonly #name: string;
  readonly #send: (request: AppRequest) => void;
  readonly #waiting = new Map<number, { resolve(answer: AppAnswer): void; reject(error: Error): void }>();
  #next = 1;

  constructor(name: string, send: (request: AppRequest) => void) {
    this.#name = name;
    this.#send = send;
  }

  /** Takes an answer from the app. */
  answered(answer: AppAnswer): void {
    if (!("id" in answer)) return;
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  /** The app is gone: what waits for it fails. */
  ended(): void {
    for (const one of this.#waiting.values()) one.reject(new Error(`the ${this.#name} app has ended`));
    this.#waiting.clear();
  }

  /** The app, asked through this conversation. */
  app(stop: () => Promise<void>): DemoApp {
    return {
      name: this.#name,
      http: (call) => this.#result((id) => ({ id, kind: "http", call })),
      httpOnOpenConnection: (call) => this.#result((id) => ({ id, kind: "keep-open", call })),
      grpc: (call) => this.#result((id) => ({ id, kind: "grpc", call })),
      tcp: (call) => this.#result((id) => ({ id, kind: "tcp", call })),
      rawTls: (call) => this.#result((id) => ({ id, kind: "raw-tls", call })),
      identity: async (socket) => {
        const answer = await this.#ask((id) => ({ id, kind: "fetch-svid", socket }));
        if ("identity" in answer) return answer.identity;
        throw failureOf(answer);
      },
      openPorts: (host, ports) => this.#ports((id) => ({ id, kind: "open-ports", host, ports })),
      listeningPorts: () => this.#ports((id) => ({ id, kind: "listening-ports" })),
      pause: async () => void (await this.#ask((id) => ({ id, kind: "pause" }))),
      received: async () => {
        const answer = await this.#ask((id) => ({ id, kind: "received" }));
        return "received" in answer ? answer.received : [];
      },
      stop,
    };
  }

  async #result(question: (id: number) => AppRequest): Promise<CallResult> {
    const answer = await this.#ask(question);
    if ("result" in answer) return answer.result;
    throw failureOf(answer);
  }

  async #ports(question: (id: number) => AppRequest): Promise<readonly number[]> {
    const answer = await this.#ask(question);
    if ("ports" in answer) return answer.ports;
    throw failureOf(answer);
  }

  #ask(question: (id: number) => AppRequest): Promise<AppAnswer> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#send(question(id));
    });
  }
}

function failureOf(answer: AppAnswer): Error {
  return new Error("failure" in answer ? answer.failure : "the app gave another kind of answer");
}
