import type { z } from 'zod';
import type { READ_PRODUCT } from '../../contracts/requests/read-product.ts';
import { type Answer, no, yes } from '../../contracts/requests/request.ts';
import type { SEARCH_PRODUCTS } from '../../contracts/requests/search-products.ts';
import type { ProductPage, SupplierProduct } from '../../contracts/resources/supplier-product.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import type { PatientAdapter } from './policy.ts';
import type { PurchasePorts } from './purchase-ports.ts';
import { notSetUp, toFailure } from './request-failure.ts';

/** Somebody waits at the other end. */
const PATIENCE_MS = 20_000;

/** Asks one supplier; what it refuses is an answer, and so is a supplier without credentials. */
export async function ask<Value>(
  ports: PurchasePorts,
  supplier: SupplierName,
  question: (adapter: PatientAdapter, signal: AbortSignal) => Promise<Value>,
): Promise<Answer<Value>> {
  const adapter = ports.adapterOf(supplier);
  if (adapter === undefined) return no(notSetUp(ports.settings, supplier));
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    return yes(await question(adapter, signal));
  } catch (error) {
    if (!signal.aborted) return no(toFailure(error));
    const message = `${supplier} did not answer within ${PATIENCE_MS / 1_000} seconds`;
    return no({ failureClass: 'transient', message, evidence: { timeout: true } });
  }
}

/** One page of the supplier's catalogue. */
export const searchProducts = (
  ports: PurchasePorts,
  { supplier, query, page, limit, country }: z.output<typeof SEARCH_PRODUCTS.request>,
): Promise<Answer<ProductPage>> =>
  ask(ports, supplier, (adapter, signal) =>
    adapter.search({ query, page, limit, countryCode: country }, signal),
  );

/** One product with everything that is needed to map and price it. */
export const readProduct = (
  ports: PurchasePorts,
  { supplier, productId, country }: z.output<typeof READ_PRODUCT.request>,
): Promise<Answer<SupplierProduct>> =>
  ask(ports, supplier, (adapter, signal) =>
    adapter.product({ supplierProductId: productId, countryCode: country }, signal),
  );
