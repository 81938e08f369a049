import { AppError } from '../../contracts/errors.ts';
import type { Evidence, FailureClass } from '../../contracts/vocabulary.ts';

/** The class decides what happens next, never the supplier's text, which travels along in `evidence`. */
export class SupplierError extends AppError {
  readonly failureClass: FailureClass;
  readonly evidence: Evidence;

  constructor(failureClass: FailureClass, message: string, evidence: Evidence, cause?: unknown) {
    super('supplier_failed', message, {
      retryable: failureClass === 'transient' || failureClass === 'throttled',
      cause,
    });
    this.failureClass = failureClass;
    this.evidence = evidence;
  }
}
