import type { PathOptions } from "../model/index.ts";
import { ClaimDimension } from "./claim-dimension.ts";
import { PathDimension } from "./path-dimension.ts";
import { ScopesDimension } from "./scopes-dimension.ts";
import {
  AddressDimension,
  HostDimension,
  PortDimension,
  QueryFormDimension,
  ShapeDimension,
  TimeDimension,
} from "./simple-dimensions.ts";
import { TokenDimension } from "./token-dimension.ts";
import { HeaderDimension, QueryDimension } from "./value-dimensions.ts";

/** Which requests there are. */
export interface UniverseOptions {
  /** The present, which examples are taken from where time does not matter. */
  readonly now: Date;
  /** Whether instants before now count, too; by default requests are from now on. */
  readonly past?: boolean;
  /**
   * Whether what no well-configured sidecar leaves out may be missing: headers withheld, providers that did not run,
   * peers without address. By default everything that a condition asks for is there.
   */
  readonly unknowns?: boolean;
}

/**
 * The dimensions of the request space, made as conditions ask for them, with everything that has been worked out about
 * them. One serves any number of policy sets; what is alike is worked out once.
 */
export class Universe {
  readonly shape = new ShapeDimension();
  readonly port = new PortDimension();
  readonly host = new HostDimension();
  readonly queryForm = new QueryFormDimension();
  readonly time: TimeDimension;
  readonly address: AddressDimension;
  readonly options: UniverseOptions;
  readonly #paths = new Map<string, PathDimension>();
  readonly #headers = new Map<string, HeaderDimension>();
  readonly #query = new Map<string, QueryDimension>();
  readonly #tokens = new Map<string, TokenDimension>();
  readonly #scopes = new Map<string, ScopesDimension>();
  readonly #claims = new Map<string, ClaimDimension>();

  constructor(options: UniverseOptions) {
    this.options = options;
    const now = options.now.getTime();
    this.time = new TimeDimension(now, options.past === true ? Number.NEGATIVE_INFINITY : now);
    this.address = new AddressDimension(options.unknowns === true);
  }

  /** Paths of a workload, under one reading or two. */
  path(readings: readonly PathOptions[]): PathDimension {
    const key = JSON.stringify(
      readings.map(({ caseInsensitive, matrixParameters }) => [caseInsensitive, matrixParameters]),
    );
    return memo(this.#paths, key, () => new PathDimension(readings));
  }

  header(name: string): HeaderDimension {
    return memo(this.#headers, name, () => new HeaderDimension(name, this.options.unknowns === true));
  }

  query(name: string): QueryDimension {
    return memo(this.#query, name, () => new QueryDimension(name));
  }

  token(provider: string): TokenDimension {
    return memo(this.#tokens, provider, () => new TokenDimension(provider, this.options.unknowns === true));
  }

  scopes(provider: string): ScopesDimension {
    return memo(this.#scopes, provider, () => new ScopesDimension(provider));
  }

  claim(provider: string, name: string): ClaimDimension {
    return memo(this.#claims, JSON.stringify([provider, name]), () => new ClaimDimension(provider, name));
  }
}

function memo<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
