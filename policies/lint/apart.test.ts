import { describe, expect, it } from "vitest";
import { requestLine as lineOf } from "../testing/request-line.ts";
import { areApart } from "./apart.ts";

describe("areApart", () => {
  it.each([
    ["GET /a", "POST /a"],
    ["GET /a/{x}/b", "GET /a/{y}/c"],
    ["ANY /a", "ANY /b/**"],
    ["GET|HEAD /{x}/a/**", "GET /{y}/b/**"],
    ["GET /a/", "GET /a/b"],
  ])("tells that no request meets `%s` and `%s`", (left, right) => {
    expect([areApart(lineOf(left), lineOf(right)), areApart(lineOf(right), lineOf(left))]).toEqual([true, true]);
  });

  it.each([
    ["GET /a", "ANY /a"],
    ["GET|HEAD /a", "HEAD|POST /a"],
    ["GET /{x:int}", "GET /1"],
    ["GET /**", "GET /a/b"],
    ["GET /**/a", "GET /a/b/a"],
    ["GET /a/**", "GET /a/"],
    ["POST /a.B/c", "grpc a.B/c"],
  ])("says nothing of `%s` and `%s`, which may be met by one", (left, right) => {
    expect([areApart(lineOf(left), lineOf(right)), areApart(lineOf(right), lineOf(left))]).toEqual([false, false]);
  });

  it("says nothing where a line is every request", () => {
    expect(areApart(undefined, lineOf("GET /a"))).toBe(false);
  });
});
