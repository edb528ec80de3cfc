import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from "yaml";
import { CliError } from "../../cli-error.ts";

/** A text of a service in which a peer may be named. */
export interface Setting {
  /** Name of the variable, or `command`. */
  readonly name: string;
  readonly value: string;
  /** Where the text stands, in the file; absent where it stands in an anchor that other services share. */
  readonly range?: { readonly start: number; readonly end: number };
}

/** What matters here of a service. */
export interface ComposeService {
  readonly name: string;
  readonly image?: string;
  readonly settings: readonly Setting[];
  /** Ports that it listens on as far as the file says: of `expose`, `ports` and `PORT`. */
  readonly ports: readonly number[];
  /** Ports that the host publishes, by the container's port. */
  readonly published: readonly number[];
  readonly dependsOn: readonly string[];
  readonly networkMode?: string;
  readonly profiles: readonly string[];
  readonly replicas: number;
  /** Other names that peers know it by. */
  readonly aliases: readonly string[];
  readonly line: number;
}

/** A user's compose file. */
export interface ComposeProject {
  readonly file: string;
  readonly text: string;
  readonly document: Document;
  readonly services: readonly ComposeService[];
  /** Top-level name, where there is one. */
  readonly name?: string;
  /** Other files that it pulls in, which nobody looked into. */
  readonly elsewhere: readonly string[];
}

/** Reads a compose file; anchors and merge keys are followed. Throws `ERR_CLI_FILE` for what is none. */
export function readComposeProject(file: string, text: string): ComposeProject {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new CliError(
      "ERR_CLI_FILE",
      `${file}:${line}:${col}: ${error.message.split("\n")[0]?.replace(/ at line.*/, "")}`,
    );
  }
  const services = document.get("services", true);
  if (!isMap(services) || services.items.length === 0)
    throw new CliError("ERR_CLI_FILE", `\`${file}\` has no \`services\`: it is no compose file`);
  const plain = record(document.toJS({ maxAliasCount: -1 }));
  const values = record(plain.services);
  const name = plain.name;
  return {
    file,
    text,
    document,
    ...(typeof name === "string" ? { name } : {}),
    services: services.items.map(({ key, value }) => {
      const own = isScalar(key) ? String(key.value) : "";
      const line = isScalar(key) ? lineCounter.linePos(key.range?.[0] ?? 0).line : 1;
      return serviceOf(own, record(values[own]), isMap(value) ? value : undefined, line);
    }),
    elsewhere: [
      ...(plain.include === undefined ? [] : ["include"]),
      ...Object.entries(values).flatMap(([service, value]) =>
        ["extends", "env_file"].flatMap((key) => (record(value)[key] === undefined ? [] : [`${key} of ${service}`])),
      ),
    ],
  };
}

function serviceOf(
  name: string,
  value: Readonly<Record<string, unknown>>,
  node: YAMLMap | undefined,
  line: number,
): ComposeService {
  const settings = [...environment(value, node), ...commands(value, node)];
  const port = settings.find((setting) => setting.name === "PORT")?.value ?? "";
  const published = list(value.ports).flatMap(containerPort);
  const text = (key: string): string | undefined => (typeof value[key] === "string" ? value[key] : undefined);
  const [image, networkMode] = [text("image"), text("network_mode")];
  return {
    name,
    ...(image === undefined ? {} : { image }),
    ...(networkMode === undefined ? {} : { networkMode }),
    settings,
    published,
    ports: [...new Set([...list(value.expose).flatMap(containerPort), ...published, ...containerPort(port)])],
    dependsOn: Array.isArray(value.depends_on) ? value.depends_on.map(String) : Object.keys(record(value.depends_on)),
    profiles: list(value.profiles).map(String),
    replicas: Number(record(value.deploy).replicas ?? value.scale ?? 1),
    aliases: [text("container_name"), text("hostname"), ...networkAliases(value.networks)].flatMap((alias) =>
      alias === undefined ? [] : [alias],
    ),
    line,
  };
}

function environment(value: Readonly<Record<string, unknown>>, node: YAMLMap | undefined): readonly Setting[] {
  const own = node?.get("environment", true);
  const split = (text: string): readonly [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  };
  if (Array.isArray(value.environment)) {
    const nodes = isSeq(own) ? own.items : [];
    return value.environment.map((each, index) => {
      const [name, text] = split(String(each));
      return { name, value: text, ...rangeOf(nodes[index]) };
    });
  }
  return Object.entries(record(value.environment)).map(([name, each]) => ({
    name,
    value: String(each ?? ""),
    ...(isMap(own) ? rangeOf(own.get(name, true)) : {}),
  }));
}

function commands(value: Readonly<Record<string, unknown>>, node: YAMLMap | undefined): readonly Setting[] {
  return ["command", "entrypoint"].flatMap((key) => {
    const own = node?.get(key, true);
    if (typeof value[key] === "string") return [{ name: key, value: value[key], ...rangeOf(own) }];
    const nodes = isSeq(own) ? own.items : [];
    return list(value[key]).map((each, index) => ({ name: key, value: String(each), ...rangeOf(nodes[index]) }));
  });
}

function rangeOf(node: unknown): { readonly range?: { readonly start: number; readonly end: number } } {
  const [start, end] = isScalar(node) ? (node.range ?? []) : [];
  return start === undefined || end === undefined ? {} : { range: { start, end } };
}

/** `8080`, `"8080:80"`, `"127.0.0.1:8080:80/tcp"`, `{ target: 80 }`; ranges and variables say nothing. */
function containerPort(entry: unknown): readonly number[] {
  if (typeof entry === "object" && entry !== null) return containerPort(record(entry).target);
  const [, port] = /(?:^|:)(\d{1,5})(?:\/tcp)?$/.exec(String(entry ?? "")) ?? [];
  return port === undefined ? [] : [Number(port)];
}

function networkAliases(networks: unknown): readonly string[] {
  if (Array.isArray(networks)) return [];
  return Object.values(record(networks)).flatMap((network) => list(record(network).aliases).map(String));
}

/** The keys of a map, read as a record; anything else has none. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Whether a document has an anchor of that name. */
export function hasAnchor(document: Document, name: string): boolean {
  let found = false;
  visit(document, {
    Node: (_key, node) => {
      if ("anchor" in node && (node as Scalar).anchor === name) found = true;
    },
  });
  return found;
}
