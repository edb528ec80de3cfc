/** Tokens that were used and may not be again. */
export interface SpentTokens {
  /** Marks a token as used; false where it was before. What has expired by `now` is forgotten. */
  spend(digest: string, expiresAt: Date, now: Date): Promise<boolean>;
}

/** Kept in memory, for an authority without a store. */
export function memorySpentTokens(): SpentTokens {
  const spent = new Map<string, Date>();
  return {
    async spend(digest, expiresAt, now) {
      for (const [each, end] of spent) if (end < now) spent.delete(each);
      if (spent.has(digest)) return false;
      spent.set(digest, expiresAt);
      return true;
    },
  };
}
