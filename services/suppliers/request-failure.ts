import type { RequestFailure } from '../../contracts/requests/request.ts';
import type { Settings } from '../../contracts/settings.ts';
import { missingVariables } from '../../contracts/supplier-variables.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import { SupplierError } from './supplier-error.ts';

/** A supplier without credentials, in the words of whoever has to mend it. */
export function notSetUp(settings: Settings, supplier: SupplierName): RequestFailure {
  const missing = missingVariables(settings, supplier).join(', ');
  const message = `${supplier} is not set up here${missing === '' ? '' : `: ${missing} not set`}`;
  return { failureClass: 'auth', message, evidence: { missing } };
}

/** What the supplier refused, as data. @throws whatever else it was. */
export function toFailure(error: unknown): RequestFailure {
  if (!(error instanceof SupplierError)) throw error;
  const { failureClass, message, evidence } = error;
  return { failureClass, message, evidence };
}
