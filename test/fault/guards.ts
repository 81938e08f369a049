export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

/** Each guard, and what the sources look like without it. */
export const MUTATIONS: Readonly<Record<string, readonly Edit[]>> = {
  'the fence': [
    {
      file: 'services/store/partitions.ts',
      from: 'on d.part = p.part and d.epoch = p.epoch and d."from" = p.seq',
      to: 'on d.part = p.part',
    },
  ],
  'the inbox': [
    {
      file: 'services/store/load-batch.ts',
      from: 'return new Set(rows.map(({ message_id }) => message_id));',
      to: 'return new Set(rows === null ? [] : messageIds);',
    },
  ],
  'the grace': [
    {
      file: 'contracts/deadlines.ts',
      from: 'look_up: settings.ORDER_MANAGER_DOUBT_GRACE_SECONDS * 1_000',
      to: 'look_up: 0',
    },
    {
      file: 'services/suppliers/ledger.ts',
      from: "look_ups + 1 >= $4 and first_absent_at <= now()::timestamptz(3) - $5::float8 * interval '1 millisecond'",
      to: '$4::int > 0 and $5::float8 >= 0',
    },
  ],
  'the outbox sweeper': [
    { file: 'services/orders/service.ts', from: '    startSweeper(store, bus, log),\n', to: '' },
  ],
  'the deadline of placing': [
    {
      file: 'contracts/deadlines.ts',
      from: 'placing: callPatienceMs(settings) * 2 + 5_000',
      to: 'placing: 365 * DAY_MS',
    },
  ],
};

/** @throws TypeError when the sources have changed, and the edit no longer names what it switches off. */
export function applied(text: string, { file, from, to }: Edit): string {
  if (text.split(from).length !== 2) throw new TypeError(`${file} does not hold once: ${from}`);
  return text.replace(from, () => to);
}
