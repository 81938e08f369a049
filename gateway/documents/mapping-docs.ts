import {
  ExportQuery,
  ImportQuery,
  ImportReport,
  MappingFile,
  MappingSuggestions,
  ProductMapping,
  ProductMappingList,
  ProductMappingQuery,
  PutProductMapping,
  SuggestionQuery,
} from '../../contracts/resources/product-mapping.ts';
import { PreviewSourcing, SourcingPreview } from '../../contracts/resources/sourcing-preview.ts';
import { json, ORDER_ID, VARIANT_ID } from './described.ts';
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
  'DELETE /product-mappings/:variantId': {
    tag: 'Product mappings',
    summary: 'Forget the supplier articles behind a variant of the shop',
    description: 'What was bought stays; later orders of the variant wait for a new mapping.',
    params: { variantId: VARIANT_ID },
    answers: { 204: null },
    problems: [404],
  },
  'GET /product-mappings': {
    tag: 'Product mappings',
    summary: 'List the mappings by variant',
    query: ProductMappingQuery,
    answers: { 200: json(ProductMappingList) },
  },
  'GET /product-mappings/suggestions': {
    tag: 'Product mappings',
    summary: 'Suggest candidates for a SKU',
    description: 'From other mappings of the SKU, and from what the suppliers sell under it.',
    query: SuggestionQuery,
    answers: { 200: json(MappingSuggestions) },
    problems: [502, 504],
  },
  'POST /product-mappings/import': {
    tag: 'Product mappings',
    summary: 'Store many mappings at once, all rows or none',
    description: 'With `dryRun` nothing is stored and every problem is listed with its row.',
    query: ImportQuery,
    body: [...json(MappingFile), { mediaType: 'text/csv', description: 'One candidate a row, as exported.' }],
    answers: { 200: json(ImportReport) },
  },
  'GET /product-mappings/export': {
    tag: 'Product mappings',
    summary: 'Get all mappings as a file that can be imported unchanged',
    description: 'As CSV where `format` or the header Accept says so.',
    query: ExportQuery,
    answers: {
      200: [
        ...json(MappingFile),
        {
          mediaType: 'text/csv',
          description:
            'One candidate a row. What a spreadsheet would run as a formula has a quote before it.',
        },
      ],
    },
  },
  'POST /sourcing-preview': {
    tag: 'Product mappings',
    summary: 'Say where an invented order would be bought',
    description: 'What, at what cost, margin and days, and what not and why. Buys nothing.',
    body: json(PreviewSourcing, {
      lines: [{ variantId: '44550000000009', units: 1 }],
      country: 'FR',
      zip: '75001',
    }),
    answers: { 200: json(SourcingPreview) },
    problems: [502, 504],
  },
  'POST /orders/:orderId/sourcing-preview': {
    tag: 'Product mappings',
    summary: 'Say where an order would be bought',
    description: 'The same function as the live run. Buys nothing.',
    params: { orderId: ORDER_ID },
    answers: { 200: json(SourcingPreview) },
    problems: [404, 502, 504],
  },
};
