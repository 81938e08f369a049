import { HTTPError } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { describeProblem } from '../problem.ts';

/** The word for metrics: what became of a delivery that was not taken. */
export function verdictOf(error: unknown): string {
  if (HTTPError.isError(error)) return describeProblem(error).code;
  return error instanceof AppError ? error.code : 'internal';
}
