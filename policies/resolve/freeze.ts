/** Freezes plain data through and through; maps keep their type, so their values are frozen and the map itself is only typed read-only. */
export function deepFreeze<T>(value: T): T {
  const stack: unknown[] = [value];
  for (let next = stack.pop(); stack.length >= 0 && next !== undefined; next = stack.pop()) {
    if (typeof next !== "object" || next === null || Object.isFrozen(next)) continue;
    Object.freeze(next);
    for (const inner of next instanceof Map ? next.values() : Object.values(next))
      if (typeof inner === "object" && inner !== null) stack.push(inner);
  }
  return value;
}
