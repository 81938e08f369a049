import { defineEntity, p } from '@mikro-orm/core';
import type { Scope } from '../../../contracts/resources/api-key.ts';

/** A named key of the REST API. The key itself is shown once, when it is made, and kept nowhere. */
const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  indexes: [
    {
      name: 'api_keys_name',
      expression: 'create unique index api_keys_name on api_keys (name) where revoked_at is null',
    },
  ],
  properties: {
    id: p.text().primary(),
    name: p.text(),
    /** SHA-256 of the whole key, in hex: the key is random enough to need no slow hash. */
    digest: p.text(),
    scope: p.text().$type<Scope>(),
    createdAt: p.datetime(3).defaultRaw('now()'),
    revokedAt: p.datetime(3).nullable(),
  },
});
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
