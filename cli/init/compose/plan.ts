import { type CallHint, findCalls } from "./find-calls.ts";
import { knownService } from "./known-services.ts";
import type { ComposeProject, ComposeService } from "./project.ts";

/** A listener of a proposed sidecar. */
export interface PlannedListen {
  /** Where the app listens. */
  readonly appPort: number;
  /** Where its sidecar does, for peers. */
  readonly meshPort: number;
  readonly protocol: "http" | "tcp";
  readonly speaksFirst?: "server";
}

/** A call of a proposed sidecar, and what in the file says so. */
export interface PlannedCall {
  readonly callee: PlannedWorkload["name"];
  readonly meshPort: number;
  /** Where the caller's app finds it, on loopback. */
  readonly localPort: number;
  readonly hints: readonly CallHint[];
}

/** A service that becomes a workload. */
export interface PlannedWorkload {
  /** A DNS label. */
  readonly name: string;
  readonly service: ComposeService;
  readonly uid: number;
  readonly listens: readonly PlannedListen[];
  readonly calls: readonly PlannedCall[];
}

/** What is proposed, and what somebody must look at. */
export interface ComposePlan {
  readonly project: ComposeProject;
  readonly workloads: readonly PlannedWorkload[];
  readonly notes: readonly PlanNote[];
}

/** Something to know before `--write`, or to do before enforcing. */
export interface PlanNote {
  readonly line: number;
  readonly when: "now" | "before-enforcing";
  readonly text: string;
}

const FIRST_UID = 20_001;
const MESH_PORT_OFFSET = 10_000;
const MAX_PORT = 65_535;

/** Proposes a workload and a sidecar for each service that calls another or is called. */
export function planCompose(project: ComposeProject): ComposePlan {
  const notes: PlanNote[] = [];
  const able = project.services.filter((service) => {
    const reason = whyNoSidecar(service);
    if (reason !== undefined) notes.push({ line: service.line, when: "now", text: `${service.name}: ${reason}` });
    return reason === undefined;
  });
  const hints = usable(findCalls(project.services), able, project.services, notes);
  const listens = new Map(able.map((service) => [service.name, listensOf(service, hints)]));
  const involved = able.filter(({ name }) => hints.some((hint) => hint.caller === name || hint.callee === name));
  const workloads = involved.map((service, index) => ({
    name: labelOf(service.name),
    service,
    uid: FIRST_UID + index,
    listens: listens.get(service.name) ?? [],
    calls: callsOf(service, hints, listens),
  }));
  notes.push(...quietServices(able, involved), ...dependencies(able, hints), ...elsewhere(project));
  for (const workload of workloads) notes.push(...workloadNotes(workload));
  return { project, workloads, notes: notes.sort((a, b) => a.line - b.line) };
}

function whyNoSidecar({ networkMode, replicas }: ComposeService): string | undefined {
  if (networkMode === "host")
    return "no sidecar: `network_mode: host` gives it the host's network, where every process reaches every port";
  if (networkMode === "none") return "no sidecar: `network_mode: none`";
  if (networkMode !== undefined && /^(?:service|container):/.test(networkMode))
    return `no sidecar: it shares the network of \`${networkMode.replace(/^\w+:/, "")}\`, whose sidecar is its own too`;
  if (replicas > 1) return `no sidecar: ${replicas} replicas, and a sidecar shares the network of one container`;
  return undefined;
}

/** Hints whose both ends get sidecars and whose port is known; the others are noted. */
function usable(
  hints: readonly CallHint[],
  able: readonly ComposeService[],
  services: readonly ComposeService[],
  notes: PlanNote[],
): readonly CallHint[] {
  const names = new Set(able.map(({ name }) => name));
  const line = (caller: string): number => services.find(({ name }) => name === caller)?.line ?? 1;
  return hints.filter((hint) => {
    const say = (text: string): boolean => {
      notes.push({
        line: line(hint.caller),
        when: "now",
        text: `${hint.caller} -> ${hint.callee} (${hint.setting.name}): ${text}`,
      });
      return false;
    };
    if (!names.has(hint.caller) || !names.has(hint.callee)) return say("left as it is, for one end has no sidecar");
    if (hint.port === undefined) return say("nothing says on which port; add the call to workloads.yaml");
    return true;
  });
}

function listensOf(service: ComposeService, hints: readonly CallHint[]): readonly PlannedListen[] {
  const asked = hints.filter(({ callee }) => callee === service.name);
  const ports = [...new Set(asked.flatMap(({ port }) => (port === undefined ? [] : [port])))].sort((a, b) => a - b);
  const taken = new Set([...service.ports, ...ports]);
  const known = knownService(service.image);
  return ports.map((appPort) => {
    const meshPort = freePort(appPort, taken);
    taken.add(meshPort);
    const told = asked.find(({ port, protocol }) => port === appPort && protocol !== undefined)?.protocol;
    const first = known?.port === appPort ? known.speaksFirst : undefined;
    return { appPort, meshPort, protocol: told ?? "tcp", ...(first === undefined ? {} : { speaksFirst: first }) };
  });
}

function freePort(appPort: number, taken: ReadonlySet<number>): number {
  let port = appPort + MESH_PORT_OFFSET;
  while (taken.has(port) || port > MAX_PORT) port = port > MAX_PORT ? MESH_PORT_OFFSET : port + 1;
  return port;
}

function callsOf(
  service: ComposeService,
  hints: readonly CallHint[],
  listens: ReadonlyMap<string, readonly PlannedListen[]>,
): readonly PlannedCall[] {
  const own = listens.get(service.name) ?? [];
  const taken = new Set([...service.ports, ...own.flatMap(({ appPort, meshPort }) => [appPort, meshPort])]);
  const groups = new Map<string, CallHint[]>();
  for (const hint of hints.filter(({ caller }) => caller === service.name)) {
    const key = `${hint.callee}:${hint.port}`;
    groups.set(key, [...(groups.get(key) ?? []), hint]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const listen = listens.get(first?.callee ?? "")?.find(({ appPort }) => appPort === first?.port);
    if (first === undefined || listen === undefined) return [];
    const localPort = taken.has(listen.appPort) ? freePort(listen.appPort, taken) : listen.appPort;
    taken.add(localPort);
    return [{ callee: labelOf(first.callee), meshPort: listen.meshPort, localPort, hints: group }];
  });
}

/** A service's name as a DNS label. */
export function labelOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
}

function quietServices(able: readonly ComposeService[], involved: readonly ComposeService[]): readonly PlanNote[] {
  return able
    .filter((service) => !involved.includes(service))
    .map(({ name, line }) => ({
      line,
      when: "now",
      text: `${name}: no sidecar, for nothing here says that it calls or is called`,
    }));
}

function dependencies(able: readonly ComposeService[], hints: readonly CallHint[]): readonly PlanNote[] {
  const names = new Set(able.map(({ name }) => name));
  return able.flatMap(({ name, line, dependsOn }) =>
    dependsOn
      .filter((other) => names.has(other) && !hints.some((hint) => hint.caller === name && hint.callee === other))
      .map((other) => ({
        line,
        when: "now" as const,
        text: `${name} depends on ${other}, and nothing says how it calls it: if it does, add the call to workloads.yaml`,
      })),
  );
}

function elsewhere({ elsewhere }: ComposeProject): readonly PlanNote[] {
  if (elsewhere.length === 0) return [];
  return [{ line: 1, when: "now", text: `not looked into: ${elsewhere.join(", ")}` }];
}

function workloadNotes({ service, listens, calls }: PlannedWorkload): readonly PlanNote[] {
  const { name, line, published } = service;
  const note = (when: PlanNote["when"], text: string): PlanNote => ({ line, when, text: `${name}: ${text}` });
  const unknown = listens.filter(
    ({ protocol, appPort }) => protocol === "tcp" && knownService(service.image)?.port !== appPort,
  );
  const shared = calls.flatMap(({ hints, localPort }) =>
    hints
      .filter((hint) => hint.setting.range === undefined || needsPortBeside(hint, localPort))
      .map((hint) => ({ hint, localPort })),
  );
  const { bindLoopback: remedy, redirects } = knownService(service.image) ?? {};
  return [
    ...(redirects === undefined || listens.length === 0
      ? []
      : [
          note(
            "now",
            `its \`${redirects}\` tell clients where to connect next, past their sidecars: name a loopback port there`,
          ),
        ]),
    ...unknown.map(({ appPort }) =>
      note(
        "now",
        `port ${appPort} is carried as TCP; where it speaks HTTP or gRPC, say \`protocol: http\` in workloads.yaml`,
      ),
    ),
    ...shared.map(({ hint, localPort }) =>
      note("now", `change ${hint.setting.name} by hand: ${hint.callee} is at 127.0.0.1:${localPort} for it`),
    ),
    ...(listens.length > 0
      ? [
          note(
            "before-enforcing",
            `let it listen on 127.0.0.1 alone${remedy === undefined ? "" : `, ${remedy}`}; until then peers can walk around its sidecar`,
          ),
        ]
      : []),
    ...published
      .filter((port) => listens.some(({ appPort }) => appPort === port))
      .map((port) =>
        note(
          "before-enforcing",
          `its published port ${port} leads past the sidecar; a listener with \`clients: public\` is the door for it`,
        ),
      ),
  ];
}

/** A host name alone, whose port stands in another variable that would have to change with it. */
export function needsPortBeside(hint: CallHint, localPort: number): boolean {
  return !hint.textHasPort && hint.text === hint.setting.value && hint.port !== localPort;
}
