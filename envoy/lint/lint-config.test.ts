import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { patchConfig } from "../patch/index.ts";
import { LINT_IDS } from "./catalogue/index.ts";
import { lintConfig } from "./lint-config.ts";
import { readSource } from "./source.ts";
import { CASES } from "./testing/cases.ts";
import { hardened, TARGET, VERSION } from "./testing/hardened.ts";

const compact = (config: unknown): string => JSON.stringify(config);
const lines = (config: unknown): string => JSON.stringify(config, undefined, 2);
const yaml = (config: unknown): string => stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });

const ids = (text: string, envoyVersion = VERSION): readonly string[] =>
  lintConfig(readSource("envoy", text), { envoyVersion }).map(({ id }) => id);

const patched = (text: string, envoyVersion = VERSION): string =>
  patchConfig(readSource("envoy", text), { ...TARGET, envoyVersion }).text;

describe("a configuration that holds the floor", () => {
  it.each([compact, lines, yaml])("has no finding and is patched to itself (%#)", (write) => {
    const text = write(hardened());
    expect(ids(text)).toEqual([]);
    expect(patched(text)).toBe(text);
  });
});

// Every form of text for every hole takes minutes, so at quick depth all but one form is tried on all holes that can be mended at once.
const forms = process.env.CELLWALL_DEPTH === "full" ? [compact, lines, yaml] : [compact];

describe.each(forms)("a hole (form %#)", (write) => {
  it.each(LINT_IDS)("of the kind %s is found, and closed where it can be", (id) => {
    const { changes, mended, version, declared = false } = CASES[id];
    const text = write(hardened(changes));
    const found = lintConfig(readSource("envoy", text), { envoyVersion: version ?? VERSION });
    expect(found.map((one) => one.id)).toContain(id);
    expect(found.filter((one) => one.id === id).map(({ fixable }) => fixable)).toContain(mended);
    const after = patched(text, version);
    expect(ids(after, version).includes(id)).toBe(!mended && !declared);
    if (mended) expect(patched(after, version)).toBe(after);
  });
});

describe("a boolean of YAML", () => {
  it.each(["true", "yes", "on", "Y", "True", "ON"])("is true as %s, as it is to Envoy", (word) => {
    const text = yaml(hardened()).replaceAll("failure_mode_allow: false", `failure_mode_allow: ${word}`);
    expect(ids(text)).toContain("failure-mode-allow");
    expect(patched(text)).toBe(patched(yaml(hardened())));
  });

  it.each(["yes", "on"])("that holds the floor is no finding as %s", (word) => {
    const text = yaml(hardened()).replaceAll(/normalize_path: true|merge_slashes: true/g, (one) =>
      one.replace("true", word),
    );
    expect(ids(text)).toEqual([]);
  });
});

describe.each([lines, yaml])("all holes that can be mended, at once (form %#)", (write) => {
  const changes = Object.values(CASES)
    .filter(({ mended }) => mended)
    .flatMap((one) => one.changes)
    // What takes the filters themselves away would take the other holes along.
    .filter(
      ([place]) =>
        place !== "hcm.http_filters" && !place.startsWith("hcm.early_header") && !place.includes("validation_context"),
    );

  it("are closed by one patch, and a second one changes nothing", () => {
    const text = write(hardened(changes));
    expect(new Set(ids(text)).size).toBeGreaterThan(30);
    const after = patched(text);
    expect(ids(after)).toEqual([]);
    expect(patched(after)).toBe(after);
  });
});
