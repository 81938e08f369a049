import type { TokenStore } from '../adapter-parts.ts';
import type { CjClient } from './client.ts';
import { type Channel, readSetting, type SettingData } from './open-id.ts';
import { Whatever } from './responses.ts';

const TOPICS = ['product', 'stock', 'order', 'logistics', 'makeup', 'privateOrder'] as const;
/** CJ insists on these; older accounts neither take nor show the others. */
const REQUIRED: readonly string[] = ['product', 'stock', 'order', 'logistics'];

function isSentTo(channel: Channel | null | undefined, callbackUrl: string): boolean {
  const urls = channel?.urls ?? channel?.callbackUrls ?? [];
  return channel?.type?.toUpperCase() !== 'CANCEL' && urls.length === 1 && urls[0] === callbackUrl;
}

const isRegistered = ({ callback }: SettingData, callbackUrl: string): boolean =>
  TOPICS.filter((topic) => REQUIRED.includes(topic) || callback?.[topic] != null).every((topic) =>
    isSentTo(callback?.[topic], callbackUrl),
  );

/**
 * Has every topic sent to the address, one and the same for all: CJ replaces the whole configuration at each writing and
 * probes the address while it does, so it is only written when it differs. Topics that CJ has closed after failures are
 * opened again. Throws SupplierError, `permanent` for an address that CJ does not like.
 */
export async function registerPush(
  client: CjClient,
  tokens: TokenStore,
  callbackUrl: string,
  signal: AbortSignal,
): Promise<void> {
  if (isRegistered(await readSetting(client, tokens, signal), callbackUrl)) return;
  const channel = { type: 'ENABLE', callbackUrls: [callbackUrl] };
  const body = Object.fromEntries(TOPICS.map((topic) => [topic, channel]));
  const request = { method: 'POST', path: '/webhook/set', body, kind: 'read', priority: 'query' } as const;
  await client.call(request, Whatever, signal);
}
