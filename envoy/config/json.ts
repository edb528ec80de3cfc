/** A value of Envoy's JSON configuration. */
export type Json = string | number | boolean | readonly Json[] | JsonObject;

/** An object of Envoy's JSON configuration; keys keep their order, so that equal input gives equal text. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** An extension of Envoy: its name and its typed configuration, the type without `type.googleapis.com/`. */
export function extension(name: string, type: string, config: JsonObject = {}): JsonObject {
  return { name, typed_config: typed(type, config) };
}

/** A configuration with its type. */
export function typed(type: string, config: JsonObject = {}): JsonObject {
  return { "@type": `type.googleapis.com/${type}`, ...config };
}
