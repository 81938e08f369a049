import { ProductMapping, PutProductMapping } from '../../contracts/resources/product-mapping.ts';
import { json, VARIANT_ID } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

export const MAPPING_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /product-mappings/:variantId': {
    tag: 'Product mappings',
    summary: 'Get the supplier articles behind a variant of the shop',
    params: { variantId: VARIANT_ID },
    answers: { 200: json(ProductMapping) },
    problems: [404],
  },
  'PUT /product-mappings/:variantId': {
    tag: 'Product mappings',
    summary: 'Say which supplier articles stand behind a variant of the shop',
    description: 'Orders that waited for it go on by themselves.',
    params: { variantId: VARIANT_ID },
    body: json(PutProductMapping, {
      candidates: [
        {
          supplier: 'cj_dropshipping',
          supplierProductId: '2601010000000000009',
          supplierVariantId: '2602020000000000009',
          shipsFrom: 'CN',
        },
      ],
    }),
    answers: { 200: json(ProductMapping) },
  },
};
