import { expect, it } from "vitest";
import { processEnvironment } from "./process-environment.ts";

it("passes on what a program needs to start, and no secret of ours", () => {
  const env = {
    PATH: "/bin",
    HOME: "/root",
    CELLWALL_JOIN_TOKEN: "cwj1.secret",
    AWS_SECRET_ACCESS_KEY: "s",
    LANG: undefined,
  };
  expect(processEnvironment(env)).toEqual({ PATH: "/bin", HOME: "/root" });
  expect(processEnvironment({ ...env, PIP_INDEX_URL: "https://i" }, ["PIP_INDEX_URL"])).toEqual({
    PATH: "/bin",
    HOME: "/root",
    PIP_INDEX_URL: "https://i",
  });
});
