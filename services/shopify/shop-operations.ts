import { z } from 'zod';
import { PageInfo } from './connection.ts';
import { UserErrors } from './user-errors.ts';

/** Which shop answers, and what this app may do there. */
export const WHO_AM_I = `
  query WhoAmI {
    shop { myshopifyDomain ianaTimezone }
    currentAppInstallation { accessScopes { handle } }
  }
`;
export const WhoAmIAnswer = z.object({
  shop: z.object({ myshopifyDomain: z.string(), ianaTimezone: z.string().nullish() }),
  currentAppInstallation: z.object({ accessScopes: z.array(z.object({ handle: z.string() })) }),
});

/** Those that this app made through the API; what its own configuration or a person made is not among them. */
export const SUBSCRIPTIONS = `
  query Subscriptions($after: String) {
    webhookSubscriptions(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { topic uri }
    }
  }
`;
export const SubscriptionsAnswer = z.object({
  webhookSubscriptions: z.object({
    pageInfo: PageInfo,
    nodes: z.array(z.object({ topic: z.string(), uri: z.string() })),
  }),
});

/** A second one of the same topic and address is refused. */
export const SUBSCRIBE = `
  mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
    webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
      webhookSubscription { id }
      userErrors { field message }
    }
  }
`;
export const SubscribeAnswer = z.object({ webhookSubscriptionCreate: UserErrors });
