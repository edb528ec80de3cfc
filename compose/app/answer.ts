import type { Agent } from "node:http";
import type { AppServer } from "./app-server.ts";
import { httpCall, openConnection, rawTlsCall, tcpCall } from "./calls.ts";
import { fetchSvid } from "./fetch-svid.ts";
import { grpcCall } from "./grpc-call.ts";
import type { AppAnswer, AppRequest } from "./messages.ts";
import { listeningPorts, openPorts } from "./open-ports.ts";
import type { Traffic } from "./traffic.ts";

/** Answers what an app is asked by whoever drives it; never rejects. */
export type Answering = (request: AppRequest) => Promise<AppAnswer>;

/** Answering for one app: its calls are made from this process, with its user, its files and its network. */
export function createAnswering(app: AppServer, traffic: Traffic): Answering {
  const kept = new Map<string, Agent>();
  const connectionTo = (socket: string): Agent => {
    const agent = kept.get(socket) ?? openConnection();
    kept.set(socket, agent);
    return agent;
  };
  const answer = async (request: AppRequest): Promise<AppAnswer> => {
    const { id } = request;
    switch (request.kind) {
      case "http":
        return { id, result: await httpCall(request.call) };
      case "keep-open":
        return { id, result: await httpCall(request.call, connectionTo(request.call.socket)) };
      case "grpc":
        return { id, result: await grpcCall(request.call) };
      case "tcp":
        return { id, result: await tcpCall(request.call) };
      case "raw-tls":
        return { id, result: await rawTlsCall(request.call) };
      case "fetch-svid":
        return { id, identity: await fetchSvid(request.socket) };
      case "open-ports":
        return { id, ports: await openPorts(request.host, request.ports) };
      case "listening-ports":
        return { id, ports: listeningPorts() };
      case "pause":
        await traffic.pause();
        return { id, received: [] };
      case "received":
        return { id, received: app.received };
    }
  };
  return (request) => answer(request).catch((error: unknown) => ({ id: request.id, failure: String(error) }));
}
