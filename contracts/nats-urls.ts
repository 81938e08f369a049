import { z } from 'zod';

/** One server or several. Whatever else a URL begins with, the client would knock there for ever. */
export const NatsUrls = z
  .string()
  .trim()
  .refine(
    (list) => list.split(',').every((url) => /^((nats|tls):\/\/)?[^\s/]+\/?$/.test(url.trim())),
    'must be a URL like nats://host:4222, or several with commas between them',
  );
