import type { AuthorityStatus } from "../../protocol/index.ts";
import type { OutwardServers } from "../outward/outward-servers.ts";
import type { ForeignDomainState } from "./foreign-domain.ts";
import type { ForeignDomains } from "./foreign-domains.ts";

/** Federated trust domains and the servers for others, as a status tells of them; absent where there are none. */
export function federationOf(
  foreign: Pick<ForeignDomains, "states">,
  outward: Pick<OutwardServers, "status">,
): Pick<AuthorityStatus, "federation" | "outward"> {
  const federation = [...foreign.states().values()].map(domainStatus);
  const servers = outward.status().map(({ name, listen: { host, port }, ...rest }) => ({
    name,
    listen: host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`,
    ...rest,
  }));
  return {
    ...(federation.length === 0 ? {} : { federation }),
    ...(servers.length === 0 ? {} : { outward: servers }),
  };
}

function domainStatus(state: ForeignDomainState): NonNullable<AuthorityStatus["federation"]>[number] {
  const { config, bundle, fetchedAt, nextAt, problem } = state;
  return {
    trustDomain: config.trustDomain,
    ...(config.endpoint === undefined ? {} : { profile: config.endpoint.profile, url: config.endpoint.url }),
    ...(bundle === undefined ? {} : { keys: bundle.x509Authorities.length + bundle.jwtAuthorities.size }),
    ...(bundle?.sequence === undefined ? {} : { sequence: String(bundle.sequence) }),
    ...(bundle?.refreshHintSeconds === undefined ? {} : { refreshHintSeconds: bundle.refreshHintSeconds }),
    ...(fetchedAt === undefined ? {} : { fetchedAt: fetchedAt.toISOString() }),
    ...(nextAt === undefined ? {} : { nextAt: nextAt.toISOString() }),
    ...(problem === undefined ? {} : { problem }),
  };
}
