import { beforeEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

describe("cellwall export --workload", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    expect(await run(["init"], capturedIo(folder()))).toBe(0);
  });

  it.each(["istio", "kubernetes", "envoy-rbac"])(
    "takes a workload by its short and its full name for %s",
    async (format) => {
      const texts: string[] = [];
      for (const name of ["orders", "shop/orders"]) {
        const io = capturedIo(folder());
        expect(await run(["export", format, "--workload", name], io)).toBe(0);
        texts.push(io.out());
      }
      expect(texts[0]).toContain("orders");
      expect(texts[0]).toBe(texts[1]);
    },
  );

  it.each(["istio", "kubernetes", "envoy-rbac"])(
    "refuses one that is not there for %s, and says which are",
    async (format) => {
      const io = capturedIo(folder());
      expect([await run(["export", format, "--workload", "nope"], io), io.out()]).toEqual([2, ""]);
      expect(io.err()).toBe("error: there is no workload `nope` in the set\n hint: there are shop/orders, shop/web\n");
    },
  );
});
