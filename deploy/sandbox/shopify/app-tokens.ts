import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Journal } from '../journal.ts';

/** The lifetime that the real grant announces. */
const TTL_SECONDS = 86_399;

export interface AppTokens {
  /** The app's fixed token, or one granted and not yet expired. */
  accepts(token: string | null): boolean;
  /** A fresh token for the app, or null when id or secret are wrong. */
  grant(clientId: string, clientSecret: string): { accessToken: string; expiresInSeconds: number } | null;
}

/** Who may call the Admin API. */
export function createAppTokens(
  journal: Journal,
  app: { accessToken: string; clientId: string; clientSecret: string },
): AppTokens {
  const granted = journal.collection('shopify_token', z.object({ expiresAt: z.int() }));
  return {
    accepts(token) {
      if (token === null) return false;
      return token === app.accessToken || Date.now() < (granted.get(token)?.expiresAt ?? 0);
    },
    grant(clientId, clientSecret) {
      if (clientId !== app.clientId || clientSecret !== app.clientSecret) return null;
      const accessToken = `shpat_${randomBytes(16).toString('hex')}`;
      granted.put(accessToken, { expiresAt: Date.now() + TTL_SECONDS * 1_000 });
      return { accessToken, expiresInSeconds: TTL_SECONDS };
    },
  };
}
