import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import { openRecords } from "./records.ts";

describe("AuthorityRecords", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cellwall-records-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function inStore<T>(use: (records: Awaited<ReturnType<typeof openRecords>>) => Promise<T>): Promise<T> {
    const store = await openStore({ file: join(folder, "authority.db") });
    try {
      return await use(await openRecords(store));
    } finally {
      await store.close();
    }
  }

  it("keep the last good set, and only it, across restarts", async () => {
    expect(await inStore(({ archive }) => archive.load())).toBeUndefined();
    const second = { publisher: "b", files: [{ path: "x.yaml", text: "kind: Mesh\n# ü 'quoted' \u0000" }] };
    await inStore(async ({ archive }) => {
      await archive.save({ publisher: "a", files: [] });
      await archive.save(second);
    });
    expect(await inStore(({ archive }) => archive.load())).toEqual(second);
    await inStore(({ archive }) => archive.save(undefined));
    expect(await inStore(({ archive }) => archive.load())).toBeUndefined();
  });

  it("keep the audit trail across restarts and give it newest first", async () => {
    const at = new Date("2026-01-02T03:04:05.678Z");
    const first = { at, actor: "local-admin", action: "publish", outcome: "done", subject: "bundle 1.1" } as const;
    const second = { at, actor: "x", action: "revoke", outcome: "refused", subject: "s", detail: "why" } as const;
    await inStore(async ({ audit }) => {
      await audit.record(first);
      await audit.record(second);
    });
    expect(await inStore(({ audit }) => audit.list())).toEqual([second, first]);
    expect(await inStore(({ audit }) => audit.list({ limit: 1 }))).toEqual([second]);
  });
});
