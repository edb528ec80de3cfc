import { defineConfig } from "vitest/config";

const folders = "{spiffe,policies,protocol,flows,envoy,store,ca,authority,ext-authz,cli,compose}";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          // The files share the modules they import: pure functions, and no test replaces a module.
          isolate: false,
          include: [`${folders}/**/*.test.ts`, "test/architecture.test.ts", "test/conformance/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "property",
          isolate: false,
          include: ["test/property/**/*.test.ts"],
          testTimeout: 3_600_000,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/{e2e,fail-closed,system}/**/*.test.ts"],
          testTimeout: process.env.CELLWALL_DEPTH === "full" ? 3_600_000 : 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
