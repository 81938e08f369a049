import type { H3Event, HTTPError } from 'h3';
import { AppError } from '../contracts/errors.ts';
import type { Answer, RequestFailure } from '../contracts/requests/request.ts';
import type { FailureClass } from '../contracts/vocabulary.ts';
import { entitled, type ProblemDetails, refusal } from './problem.ts';

/** The titles of the user's guide: each has its line under "Dépannage". */
const API_CONNECTION_ERROR = 'API connection error';
const AUTHENTICATION_FAILED = 'Authentication failed';
const PRODUCT_NOT_FOUND = 'Product not found';
const ORDER_CREATION_FAILED = 'Order creation failed';

/** What was asked for: it decides what a refusal is called. */
export type Asked = 'search' | 'product' | 'order';

type Kind = 'away' | 'busy' | 'auth' | 'refused';

const KIND_OF: Readonly<Record<FailureClass, Kind>> = {
  transient: 'away',
  unknown_outcome: 'away',
  permanent: 'away',
  throttled: 'busy',
  auth: 'auth',
  account_blocked: 'auth',
  funds: 'refused',
  invalid_input: 'refused',
  not_found: 'refused',
  unavailable: 'refused',
  not_shippable: 'refused',
  price_changed: 'refused',
  duplicate_reference: 'refused',
};

const REFUSED: Readonly<Record<Asked, Pick<ProblemDetails, 'status' | 'code' | 'title'>>> = {
  search: { status: 422, code: 'supplier_refused', title: 'Search refused' },
  product: { status: 404, code: 'product_not_found', title: PRODUCT_NOT_FOUND },
  order: { status: 422, code: 'supplier_refused', title: 'Look at the order refused' },
};

function detailsOf({ failureClass, message, evidence }: RequestFailure, asked: Asked): ProblemDetails {
  const detail = `${message} (${failureClass})`;
  const kind = KIND_OF[failureClass];
  if (kind === 'refused') return { ...REFUSED[asked], detail };
  if (kind === 'auth') return { status: 502, code: 'supplier_auth', title: AUTHENTICATION_FAILED, detail };
  const isWaiting = kind === 'busy' || evidence.breaker === 'open';
  const status = isWaiting ? 503 : evidence.timeout === true ? 504 : 502;
  return { status, code: 'supplier_unreachable', title: API_CONNECTION_ERROR, detail };
}

/** A supplier's no, as the guide's message. To be thrown. */
const supplierProblem = (failure: RequestFailure, asked: Asked): HTTPError =>
  refusal(detailsOf(failure, asked));

/** A handler that makes an order: what it refuses of the request bears the guide's title. */
export const creating =
  <Made>(make: (event: H3Event) => Promise<Made>) =>
  async (event: H3Event): Promise<Made> => {
    try {
      return await make(event);
    } catch (error) {
      throw entitled(error, ORDER_CREATION_FAILED);
    }
  };

const AWAY: Readonly<Record<string, number>> = { bus_unavailable: 503, request_timeout: 504 };

/** The answer's value. @throws the guide's message for a supplier's no, and for a suppliers service that is away. */
export async function answerOf<Value>(answering: Promise<Answer<Value>>, asked: Asked): Promise<Value> {
  const answer = await answering.catch((error: unknown) => {
    const status = error instanceof AppError ? AWAY[error.code] : undefined;
    if (status === undefined || !(error instanceof AppError)) throw error;
    throw refusal({ status, code: error.code, title: API_CONNECTION_ERROR, detail: error.message });
  });
  if (answer.ok) return answer.value;
  throw supplierProblem(answer.failure, asked);
}
