import type { Span } from "./span.ts";

/** What one path parameter accepts; all types are ASCII. `any` is one non-empty segment. */
export type ParameterType = "any" | "int" | "uuid" | "hex" | "slug" | "date";

/** One segment of a path pattern. The empty last segment of `/a/` is a literal `""`. */
export type PatternSegment =
  | { readonly kind: "literal"; readonly value: string }
  | {
      readonly kind: "parameter";
      readonly name: string;
      readonly type: ParameterType;
      readonly prefix: string;
      readonly suffix: string;
    }
  /** `**`: any number of segments, at least one, which may be the empty last one. At most one a pattern. */
  | { readonly kind: "rest" };

/** A path pattern over decoded canonical segments; `text` is its canonical spelling. */
export interface PathPattern {
  readonly text: string;
  readonly segments: readonly PatternSegment[];
}

interface LineBase {
  /** Canonical text, e.g. `GET|HEAD /orders/{id:int}`; methods sorted as written. */
  readonly text: string;
  readonly span: Span;
}

/** One line of `requests`. */
export type RequestLine =
  | (LineBase & { readonly kind: "http"; readonly methods: readonly string[] | "ANY"; readonly path: PathPattern })
  | (LineBase & { readonly kind: "grpc"; readonly service: string; readonly method: string | "*" })
  | (LineBase & { readonly kind: "websocket"; readonly path: PathPattern })
  | (LineBase & { readonly kind: "tcp"; readonly port: number | "*" });
