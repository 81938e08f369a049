import { z } from 'zod';
import {
  actionsOn,
  DEAD_LETTER_WORDS,
  type DeadLetterKind,
  type DeadLetterReason,
  type DeadLetterState,
  messageNameOf,
} from '../../contracts/dead-letters.ts';
import type {
  DeadLetterListQuery,
  DeadLetterSummary,
  DeadLetterView,
} from '../../contracts/resources/dead-letter.ts';
import type { DeadLetterRequest } from '../../services/store/entities/log.ts';
import type { Sql, Store } from '../../services/store/store.ts';

interface LetterRow {
  readonly id: string;
  readonly kind: DeadLetterKind;
  readonly state: DeadLetterState;
  readonly reason: DeadLetterReason;
  readonly failure: string | null;
  readonly orderId: string | null;
  readonly subject: string;
  readonly messageId: string;
  readonly attempts: number;
  readonly waiting: number;
  readonly openedAt: Date;
  readonly settledAt: Date | null;
}

type RequestRow = Pick<DeadLetterRequest, 'action' | 'by' | 'note' | 'data'> & { readonly at: string };

const COLUMNS = `d.id::text, d.kind, d.state, d.reason, d.failure, d.order_id as "orderId", d.subject,
  d.message_id as "messageId", d.attempts, d.opened_at as "openedAt", d.settled_at as "settledAt",
  case when d.kind = 'event' and d.state = 'open'
       then (select count(*)::int from dead_letters p where p.order_id = d.order_id and p.state = 'parked')
       else 0 end as waiting`;

const Failure: z.ZodType<string> = z
  .object({
    name: z.string(),
    code: z.string().optional(),
    message: z.string().optional(),
    cause: z.unknown().optional(),
  })
  .transform(({ name, code, message, cause }) => {
    const because = Failure.safeParse(cause);
    const own = [name, code, message].filter((part) => part !== undefined).join(': ');
    return because.success ? `${own}, because of ${because.data}` : own;
  });

function failureText(failure: string | null): string {
  try {
    return Failure.parse(JSON.parse(failure ?? ''));
  } catch {
    return failure ?? '';
  }
}

function toSummary(row: LetterRow): DeadLetterSummary {
  const { subject, failure, openedAt, settledAt, ...letter } = row;
  const { means, mend } = DEAD_LETTER_WORDS[row.reason];
  return {
    ...letter,
    means,
    suggestedMend: mend,
    failure: failureText(failure),
    message: messageNameOf(row.kind, subject),
    openedAt: new Date(openedAt).toISOString(),
    settledAt: settledAt === null ? null : new Date(settledAt).toISOString(),
    can: row.state === 'open' ? actionsOn(row.kind) : [],
  };
}

/** Newest first; one row more than `limit` when there are more. */
export async function readLetters(sql: Sql, query: DeadLetterListQuery): Promise<DeadLetterSummary[]> {
  const { limit, cursor, state, kind, reason, orderId } = query;
  const rows = await sql.query<LetterRow>(
    `select ${COLUMNS} from dead_letters d
      where ($2::text is null and d.state in ('open', 'parked') or d.state = $2)
        and ($3::text is null or d.kind = $3) and ($4::text is null or d.reason = $4)
        and ($5::text is null or d.order_id = $5) and ($6::bigint is null or d.id < $6)
      order by d.id desc limit $1`,
    [limit + 1, state ?? null, kind ?? null, reason ?? null, orderId ?? null, cursor ?? null],
  );
  return rows.map(toSummary);
}

export async function readLetter(store: Store, id: string): Promise<DeadLetterView | undefined> {
  const [row] = await store.query<LetterRow & { payload: string }>(
    `select ${COLUMNS}, d.payload from dead_letters d where d.id = $1`,
    [id],
  );
  if (row === undefined) return undefined;
  const requests = await store.query<RequestRow>(
    'select action, by, note, data, at from dead_letter_requests where letter_id = $1 order by at, id',
    [id],
  );
  const { payload, ...summary } = row;
  return {
    ...toSummary(summary),
    payload,
    requests: requests.map(({ action, by, note, data, at }) => ({
      action,
      by,
      note: note ?? null,
      data: data ?? null,
      at: new Date(at).toISOString(),
    })),
  };
}
