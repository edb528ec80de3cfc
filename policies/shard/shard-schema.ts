import * as z from "zod";

/** The only format of shards so far. */
export const SHARD_FORMAT = "cellwall.shard/1";

// Maps are lists of pairs: a key from outside is never a property name.
const pairs = <V extends z.ZodType>(value: V) => z.array(z.tuple([z.string(), value]));
const text = z.string().min(1);
const port = z.int().min(1).max(65_535);
const instant = z.iso.datetime();
const span = z.tuple([z.string(), z.int(), z.int(), z.int(), z.int()]);

const matcher = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("equals"), value: z.string() }),
  z.strictObject({ kind: z.literal("in"), values: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal("not"), value: z.string() }),
  z.strictObject({ kind: z.literal("notIn"), values: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal("prefix"), value: z.string() }),
  z.strictObject({ kind: z.literal("suffix"), value: z.string() }),
  z.strictObject({ kind: z.literal("contains"), value: z.string() }),
  z.strictObject({ kind: z.literal("has"), value: z.string() }),
  z.strictObject({ kind: z.literal("hasAny"), values: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal("present") }),
  z.strictObject({ kind: z.literal("absent") }),
]);

const segment = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("literal"), value: z.string() }),
  z.strictObject({
    kind: z.literal("parameter"),
    name: text,
    type: z.enum(["any", "int", "uuid", "hex", "slug", "date"]),
    prefix: z.string(),
    suffix: z.string(),
  }),
  z.strictObject({ kind: z.literal("rest") }),
]);

const path = z
  .strictObject({ text, segments: z.array(segment).min(1) })
  .refine(({ segments }) => segments.filter((each) => each.kind === "rest").length <= 1, "`**` stands more than once")
  .refine(
    ({ segments }) => segments.slice(0, -1).every((each) => each.kind !== "literal" || each.value !== ""),
    "an empty segment is not the last",
  );

const line = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("http"),
    methods: z.union([z.literal("ANY"), z.array(text).min(1)]),
    path,
    text,
    span,
  }),
  z.strictObject({ kind: z.literal("grpc"), service: text, method: text, text, span }),
  z.strictObject({ kind: z.literal("websocket"), path, text, span }),
  z.strictObject({ kind: z.literal("tcp"), port: z.union([z.literal("*"), port]), text, span }),
]);

const workloadName = z.strictObject({ namespace: text, name: text });

const cidr = z
  .strictObject({ text, bytes: z.array(z.int().min(0).max(255)), prefixLength: z.int().min(0) })
  .refine(({ bytes }) => bytes.length === 4 || bytes.length === 16, "an address has 4 or 16 bytes")
  .refine(({ bytes, prefixLength }) => prefixLength <= bytes.length * 8, "the prefix is longer than the address");

const selector = z.strictObject({
  workload: workloadName.optional(),
  labels: pairs(matcher).optional(),
  namespace: text.optional(),
  spiffe: z.strictObject({ id: text, descendants: z.boolean() }).optional(),
  trustDomain: text.optional(),
  anyone: z.enum(["authenticated", "anonymous"]).optional(),
  addresses: z.array(cidr).min(1).optional(),
  span,
});

const lowerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, "not a lower-case header name");

const rule = z.strictObject({
  effect: z.enum(["allow", "deny"]),
  name: text,
  from: z.array(selector).min(1).optional(),
  requests: z.array(line).min(1).optional(),
  hosts: z.array(text).min(1).optional(),
  ports: z.array(port).min(1).optional(),
  headers: z.array(z.tuple([lowerName, matcher])),
  query: pairs(matcher),
  jwt: z.strictObject({ provider: text, scopes: z.array(text), claims: pairs(matcher) }).optional(),
  notBefore: instant.optional(),
  notAfter: instant.optional(),
  except: z
    .strictObject({ from: z.array(selector).min(1).optional(), requests: z.array(line).min(1).optional() })
    .refine(({ from, requests }) => from !== undefined || requests !== undefined, "an `except` without keys")
    .optional(),
  across: z.array(text),
  always: z.boolean(),
  reason: z.string().optional(),
  review: z.string().optional(),
  span,
});

const policy = z.strictObject({
  namespace: text,
  name: text,
  stage: z.enum(["live", "candidate"]),
  action: z.enum(["replace", "withdraw"]),
  owner: z.string().optional(),
  protects: z.strictObject({
    workload: workloadName.optional(),
    labels: pairs(matcher).optional(),
    namespaces: z.union([z.literal("*"), z.array(text)]),
  }),
  protectsDestination: z.boolean(),
  labelled: z.array(text),
  allow: z.array(
    rule.refine(
      ({ effect, from, requests }) => effect === "allow" && from !== undefined && requests !== undefined,
      "an allow needs `from` and `requests`",
    ),
  ),
  deny: z.array(rule.refine(({ effect }) => effect === "deny", "not a deny")),
  span,
});

const listen = z.strictObject({
  port,
  app: text,
  protocol: z.enum(["http", "tcp"]),
  appProtocol: z.enum(["http1", "http2"]).optional(),
  upgrades: z.array(z.literal("websocket")),
  speaksFirst: z.enum(["client", "server"]),
  clients: z.enum(["mesh", "public"]),
  serverCertificate: z.string().optional(),
  span,
});

const sidecar = z.strictObject({
  address: text,
  listens: z.array(listen),
  calls: z.array(z.strictObject({ workload: workloadName, port, local: text, span })),
  foreignCalls: z
    .array(
      z.strictObject({ identity: text, address: text, port, local: text, protocol: z.enum(["http", "tcp"]), span }),
    )
    .optional(),
  probes: z.strictObject({ port, paths: z.array(text) }).optional(),
  keepOverrideHeaders: z.array(text),
  checkHeaders: z.array(text),
});

const workload = z.strictObject({
  namespace: text,
  name: text,
  labels: pairs(z.string()),
  identity: text,
  mode: z.enum(["enforce", "monitor"]),
  runsOn: z.union([z.strictObject({ labels: pairs(matcher) }), z.strictObject({ node: text })]).optional(),
  attest: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("socket"), uid: z.int().min(0), sharedUid: z.boolean() }),
      z.strictObject({ kind: z.literal("kubernetes"), namespace: text, serviceAccount: text }),
    ]),
  ),
  sidecar: sidecar.optional(),
  paths: z.strictObject({ caseInsensitive: z.boolean(), matrixParameters: z.enum(["reject", "ignore"]) }),
  span,
});

const jwks = z.union([z.strictObject({ inline: text }), z.strictObject({ file: text }), z.strictObject({ url: text })]);

const mesh = z.strictObject({
  trustDomain: text,
  defaultMode: z.enum(["enforce", "monitor"]),
  isolate: z.array(text),
  federated: z.array(text),
  jwtProviders: pairs(z.strictObject({ issuer: text, audiences: z.array(text), jwks })),
});

/** One destination's share of a policy set, as JSON. */
export const shardSchema = z.strictObject({
  format: z.literal(SHARD_FORMAT),
  mesh,
  workload,
  policies: z.array(policy),
  callers: z.array(z.strictObject({ namespace: text, name: text, identity: text, labels: pairs(z.string()) })),
  unnamedCallers: z.array(z.strictObject({ hash: z.string().regex(/^[0-9a-f]{32}$/), isolate: pairs(z.string()) })),
});

export type Shard = z.infer<typeof shardSchema>;
export type ShardPolicy = Shard["policies"][number];
export type ShardRule = ShardPolicy["allow"][number];
export type ShardSelector = NonNullable<ShardRule["from"]>[number];
export type ShardLine = NonNullable<ShardRule["requests"]>[number];
export type ShardWorkload = Shard["workload"];
export type ShardSpan = ShardRule["span"];
