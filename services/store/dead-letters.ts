import { insertRows } from './rows.ts';
import type { Sql } from './store.ts';

export interface DeadLetterRow {
  /** Null for what must not stop an order: its later events wait behind a letter that names it. */
  readonly order_id: string | null;
  readonly message_id: string;
  readonly subject: string;
  /** Place in the event stream; 0 for a command. */
  readonly seq: number;
  readonly payload: string;
  readonly state: 'open' | 'parked';
  readonly failure: string | null;
}

const COLUMNS = {
  order_id: 'text',
  message_id: 'text',
  subject: 'text',
  seq: 'bigint',
  payload: 'text',
  state: 'text',
  failure: 'text',
};

/** Sets messages aside, where a person looks. */
export const layDown = (sql: Sql, letters: readonly DeadLetterRow[]): Promise<object[]> =>
  insertRows(sql, 'dead_letters', COLUMNS, letters);
