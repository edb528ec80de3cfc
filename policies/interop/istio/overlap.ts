import { deniedBeyond, mayMeet } from "../paths/compare.ts";
import type { Nameless } from "./clause-context.ts";

/** Whether some request may be of a deny and of an allow; certain only where none can be. Callers are not looked at. */
export function rulesMeet(one: Nameless, other: Nameless): boolean {
  if (one.ports !== undefined && other.ports !== undefined && !shares(one.ports, other.ports)) return false;
  if (one.hosts !== undefined && other.hosts !== undefined && !shares(one.hosts, other.hosts)) return false;
  return (one.requests ?? ["ANY /**"]).some((a) => (other.requests ?? ["ANY /**"]).some((b) => linesMeet(a, b)));
}

const shares = <T>(a: readonly T[], b: readonly T[]): boolean => a.some((value) => b.includes(value));

/** A deny's path takes the other spelling of its last slash along; connections meet connections only. */
function linesMeet(deny: string, allow: string): boolean {
  const [a, b] = [lineOf(deny), lineOf(allow)];
  if (a.word === "tcp" || b.word === "tcp") return a.word === b.word;
  return methodsMeet(a.word, b.word) && [a.path, ...deniedBeyond(a.path)].some((path) => mayMeet(path, b.path));
}

function methodsMeet(a: string, b: string): boolean {
  const [left, right] = [methodsOf(a), methodsOf(b)];
  return left === undefined || right === undefined || shares(left, right);
}

/** A deny's GET takes HEAD along. */
function methodsOf(word: string): readonly string[] | undefined {
  if (word === "ANY") return undefined;
  if (word === "grpc") return ["POST"];
  const listed = word === "websocket" ? ["GET"] : word.split("|");
  return listed.includes("GET") ? [...listed, "HEAD"] : listed;
}

function lineOf(line: string): { readonly word: string; readonly path: string } {
  const [word = "", rest = ""] = line.split(" ");
  return { word, path: word === "grpc" ? `/${rest.replace(/\*$/, "{method}")}` : rest };
}
