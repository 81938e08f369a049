import { AppError } from '../../contracts/errors.ts';
import type { Evidence, FailureClass } from '../../contracts/vocabulary.ts';

/**
 * The shop did not do what it was asked. `unknown_outcome` comes of mutations only: it may have been done, read before
 * asking again. After `transient` and `throttled` nothing was done.
 */
export class ShopError extends AppError {
  readonly failureClass: FailureClass;
  readonly evidence: Evidence;

  constructor(failureClass: FailureClass, message: string, evidence: Evidence, cause?: unknown) {
    const retryable = failureClass === 'transient' || failureClass === 'throttled';
    super('shop_failed', message, { retryable, cause });
    this.failureClass = failureClass;
    this.evidence = evidence;
  }
}

/** Whether it was the answer about one order that nobody understands: all else is refused for every order. */
export const isAboutOrder = (error: unknown): boolean =>
  error instanceof ShopError && 'unexpected' in error.evidence;

/** Whether the shop could make nothing of a question: it lacks a field or an argument that Shopify itself knows. */
export const isNotUnderstood = (error: unknown): boolean =>
  error instanceof ShopError && error.failureClass === 'permanent' && 'codes' in error.evidence;
