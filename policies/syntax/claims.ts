import { plainMeaning } from "./plain-meaning.ts";
import { FAILED, type Json, mapOf, mapped, type Reader, text } from "./readers.ts";

const claimText = text({ expects: "a claim's value" });

/** A claim's value as a token carries it: a text, a number, a truth value, a list or a map of them. */
const claimValue: Reader<Json> = {
  schema: {},
  expects: "a claim's value",
  read(node, reading) {
    if (node.kind === "list") {
      const items = node.items.map((item) => claimValue.read(item, reading));
      const read = items.filter((item) => item !== FAILED);
      return read.length === items.length ? read : FAILED;
    }
    if (node.kind === "map") return claims.read(node, reading);
    if (node.kind === "scalar" && node.style === "plain") {
      if (node.text === "true" || node.text === "false") return node.text === "true";
      if (/^-?(?:0|[1-9][0-9]{0,14})$/.test(node.text) && plainMeaning(node.text) === "a number")
        return Number(node.text);
    }
    const read = claimText.read(node, reading);
    return read === FAILED ? FAILED : read.text;
  },
};

/** A token's payload: claims by their names. */
export const claims: Reader<Readonly<Record<string, Json>>> = mapped(
  mapOf(text({ expects: "a claim's name", schema: { minLength: 1 } }), claimValue),
  ({ value }) => Object.fromEntries(value.map((entry) => [entry.key.text, entry.value])),
);
