import { SupplierError } from '../supplier-error.ts';

const REFUSALS: readonly string[] = ['not_found', 'invalid_input', 'permanent'];

/** Whether CJ plainly does not serve this question, so that asking it again is useless. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof SupplierError && REFUSALS.includes(error.failureClass);

/** For `catch`: another answer in the place of a refusal; everything else is thrown on. */
export const orIfRefused =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (isRefusal(error)) return instead;
    throw error;
  };
