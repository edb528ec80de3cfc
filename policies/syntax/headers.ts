import { printable } from "../printable.ts";
import { type Judged, parsed, type Reader, text } from "./readers.ts";
import type { ScalarNode } from "./tree.ts";

const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]{1,256}$/;

const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["host", "say which hosts under `hosts:`"],
  [":authority", "say which hosts under `hosts:`"],
  [":path", "the path is in the request line"],
  [":method", "the method is in the request line"],
  ["upgrade", "write a `websocket` line"],
]);

/** Headers that the sidecar removes or writes itself, so that they say nothing about the caller. */
const OWN = /^(?:x-cellwall-.*|x-forwarded-client-cert)$/;

function judgeHeaderName(given: string): Judged<string> {
  const shown = `\`${printable(given, 60)}\``;
  const elsewhere = ELSEWHERE.get(given.toLowerCase());
  const refuse = (message: string, hint?: string): Judged<string> => ({
    ok: false,
    code: "ERR_POLICY_HEADER",
    message,
    hint,
  });
  if (elsewhere !== undefined) return refuse(`${shown} is not matched as a header`, elsewhere);
  if (given !== given.toLowerCase() && TOKEN.test(given.toLowerCase()))
    return refuse(`header names are lower case, and this is ${shown}`, `write \`${given.toLowerCase()}\``);
  if (!TOKEN.test(given)) return refuse(`${shown} is not a header's name`);
  if (OWN.test(given)) return refuse(`the sidecar sets ${shown} itself`, "name the caller under `from:`");
  return { ok: true, value: given };
}

const rules = { expects: "a header's name", schema: { pattern: "^[a-z0-9!#$%&'*+.^_`|~-]+$" } };
const judge = parsed(rules, judgeHeaderName);
const plain = text(rules);

/** The name of a header in lower case. */
export const headerName: Reader<ScalarNode> = {
  schema: plain.schema,
  expects: plain.expects,
  read(node, reading) {
    const read = judge.read(node, reading);
    return typeof read === "symbol" ? read : plain.read(node, reading);
  },
};

/** The name of a header in a list. */
export const headerNameItem = judge;
