/** What is known of a service by its image: a port, what it speaks there, and how it is told to listen on loopback alone. */
export interface KnownService {
  readonly image: RegExp;
  readonly port: number;
  readonly protocol: "http" | "tcp";
  readonly speaksFirst?: "server";
  /** How it is made to hear its sidecar alone. */
  readonly bindLoopback?: string;
  /** Tells its clients where to connect to next, which leads them past their sidecars. */
  readonly redirects?: string;
}

/** Images that say by their name what they are. */
export const KNOWN_SERVICES: readonly KnownService[] = [
  known(/postg(?:res|is)|timescale/, 5432, "tcp", "`command: postgres -c listen_addresses=127.0.0.1`"),
  {
    ...known(/mysql|mariadb|percona/, 3306, "tcp", "`command: mysqld --bind-address=127.0.0.1`"),
    speaksFirst: "server",
  },
  known(/redis|valkey|keydb/, 6379, "tcp", "`command: redis-server --bind 127.0.0.1`"),
  known(/mongo/, 27017, "tcp", "`command: mongod --bind_ip 127.0.0.1`"),
  known(/rabbitmq/, 5672, "tcp"),
  known(/memcached/, 11211, "tcp", "`command: memcached -l 127.0.0.1`"),
  { ...known(/kafka|redpanda/, 9092, "tcp"), redirects: "advertised.listeners" },
  known(/nats/, 4222, "tcp"),
  known(/elasticsearch|opensearch/, 9200, "http"),
  known(/nginx|httpd|caddy|traefik/, 80, "http"),
];

/** What a URL's scheme says. */
export const SCHEMES: ReadonlyMap<string, { readonly port: number; readonly protocol: "http" | "tcp" }> = new Map([
  ["http", { port: 80, protocol: "http" }],
  ["ws", { port: 80, protocol: "http" }],
  // TLS of the application's own: its sidecar carries bytes.
  ["https", { port: 443, protocol: "tcp" }],
  ["postgres", { port: 5432, protocol: "tcp" }],
  ["postgresql", { port: 5432, protocol: "tcp" }],
  ["mysql", { port: 3306, protocol: "tcp" }],
  ["redis", { port: 6379, protocol: "tcp" }],
  ["amqp", { port: 5672, protocol: "tcp" }],
  ["mongodb", { port: 27017, protocol: "tcp" }],
  ["nats", { port: 4222, protocol: "tcp" }],
  ["memcached", { port: 11211, protocol: "tcp" }],
]);

function known(image: RegExp, port: number, protocol: "http" | "tcp", bindLoopback?: string): KnownService {
  return { image, port, protocol, ...(bindLoopback === undefined ? {} : { bindLoopback }) };
}

/** The entry for an image; its registry, tag and digest say nothing. */
export function knownService(image: string | undefined): KnownService | undefined {
  const name = (image ?? "").split("@")[0]?.replace(/:[^/:]*$/, "") ?? "";
  return KNOWN_SERVICES.find((each) => each.image.test(name.split("/").slice(-2).join("/")));
}
