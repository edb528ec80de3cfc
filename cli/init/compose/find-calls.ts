import { knownService, SCHEMES } from "./known-services.ts";
import type { ComposeService, Setting } from "./project.ts";

/** A place in a compose file where one service names another. */
export interface CallHint {
  readonly caller: string;
  readonly callee: string;
  /** Absent where nothing says it. */
  readonly port?: number;
  /** Absent where nothing says it: then bytes are carried, which is right for everything. */
  readonly protocol?: "http" | "tcp";
  readonly setting: Setting;
  /** The text in the setting that names callee and port, and whether the port is in it. */
  readonly text: string;
  readonly textHasPort: boolean;
}

const HOST_NAME = /(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|UPSTREAM|BROKER|NODE)S?$/i;
const HTTP_NAME = /(?:HTTP|API|WEB)/i;

/** Every place where a service names another as a host, in order of the file. */
export function findCalls(services: readonly ComposeService[]): readonly CallHint[] {
  return services.flatMap((caller) =>
    caller.settings.flatMap((setting) =>
      services.flatMap((callee) =>
        callee === caller
          ? []
          : [callee.name, ...callee.aliases].flatMap((host) => mentions(caller, callee, host, setting)),
      ),
    ),
  );
}

function mentions(caller: ComposeService, callee: ComposeService, host: string, setting: Setting): readonly CallHint[] {
  const name = host.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(
    `(?:([a-z][a-z0-9+.-]*)://)?([^\\s/@,;"']*@)?(?<![A-Za-z0-9_.-])(${name})(?::(\\d{1,5}))?(?![A-Za-z0-9_.-])`,
    "g",
  );
  return [...setting.value.matchAll(pattern)].flatMap(([whole, scheme, user, , port]) => {
    const named = whole === setting.value && HOST_NAME.test(setting.name);
    if (scheme === undefined && user === undefined && port === undefined && !named) return [];
    return [hint({ caller, callee, setting, host, scheme, port })];
  });
}

function hint(found: {
  readonly caller: ComposeService;
  readonly callee: ComposeService;
  readonly setting: Setting;
  readonly host: string;
  readonly scheme: string | undefined;
  readonly port: string | undefined;
}): CallHint {
  const { caller, callee, setting, host, port: written } = found;
  const scheme = SCHEMES.get((found.scheme ?? "").split("+")[0] ?? "");
  const known = knownService(callee.image);
  const port =
    (written === undefined ? undefined : Number(written)) ??
    siblingPort(caller, setting) ??
    scheme?.port ??
    known?.port ??
    (callee.ports.length === 1 ? callee.ports[0] : undefined);
  const protocol = scheme?.protocol ?? known?.protocol ?? (HTTP_NAME.test(setting.name) ? "http" : undefined);
  return {
    caller: caller.name,
    callee: callee.name,
    ...(port === undefined ? {} : { port }),
    ...(protocol === undefined ? {} : { protocol }),
    setting,
    text: written === undefined ? host : `${host}:${written}`,
    textHasPort: written !== undefined,
  };
}

/** `DB_PORT` beside `DB_HOST`. */
function siblingPort(caller: ComposeService, { name }: Setting): number | undefined {
  const wanted = name.replace(HOST_NAME, "PORT");
  const value = wanted === name ? undefined : caller.settings.find((each) => each.name === wanted)?.value;
  return value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) : undefined;
}
