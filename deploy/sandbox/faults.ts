import { z } from 'zod';
import type { Journal } from './journal.ts';

const FAULT_KINDS = [
  'error_before',
  'error_after',
  'no_answer_before',
  'no_answer_after',
  'slow',
  'rate_limit',
  'garbage',
  'refusal_before',
  'refusal_after',
] as const;

/**
 * One planned misfortune. `operation` is a name as in the ledger's `calls`, or a beginning of one and `*`.
 * `*_before`: nothing has happened; `*_after`, `slow` and `garbage`: the effect took place. `no_answer_*`
 * cuts the connection. `refusal_*` answers with an error `code` of the server's own; only AliExpress knows how.
 * Without `times` the rule never runs out, without `share` it hits every call.
 */
export const FaultRule = z
  .strictObject({
    operation: z.string().min(1),
    kind: z.enum(FAULT_KINDS),
    times: z.int().positive().optional(),
    share: z.number().min(0).max(1).optional(),
    /** The same seed hits the same calls, counted per rule. */
    seed: z.int().optional(),
    /** Only for `slow`: how late the answer comes. */
    delayMs: z.int().nonnegative().optional(),
    /** Only for `refusal_*`, and needed there. */
    code: z.string().min(1).optional(),
  })
  .refine(({ kind, code }) => kind.startsWith('refusal_') === (code !== undefined), {
    error: 'a refusal needs a code, and nothing else has one',
    path: ['code'],
  })
  .refine(({ kind, operation }) => !kind.startsWith('refusal_') || operation.startsWith('aliexpress'), {
    error: 'only operations of aliexpress can be refused by a code',
    path: ['operation'],
  });
export type FaultRule = z.infer<typeof FaultRule>;

const DEFAULT_DELAY_MS = 1_000;
const Standing = z.object({ rule: FaultRule, seen: z.int(), fired: z.int() });
type Standing = z.infer<typeof Standing>;

export interface Fault {
  readonly kind: FaultRule['kind'];
  readonly delayMs: number;
  /** Empty unless the kind is a refusal. */
  readonly code: string;
}

export interface Faults {
  replace(rules: readonly FaultRule[]): void;
  /** The rules with how many calls each has looked at and hit. */
  list(): readonly Standing[];
  /** Counts a call and says what shall befall it. The first rule that hits wins. */
  next(operations: readonly string[]): Fault | null;
  /** Calls by operation since this process started. */
  calls(): Record<string, number>;
}

/** splitmix32: well mixed even for seeds 0, 1, 2 …, which is what people write into rules. */
export function fraction(seed: number, position: number): number {
  let mixed = (seed + Math.imul(position, 0x9e3779b9)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

const concerns = (rule: FaultRule, operations: readonly string[]): boolean =>
  rule.operation.endsWith('*')
    ? operations.some((operation) => operation.startsWith(rule.operation.slice(0, -1)))
    : operations.includes(rule.operation);

/** The rules in force; they and their counts survive a restart. */
export function createFaults(journal: Journal): Faults {
  const kept = journal.collection('faults', z.array(Standing));
  const counted = new Map<string, number>();
  let standing = kept.get('live') ?? [];

  const isHit = ({ rule, seen, fired }: Standing): boolean =>
    fired < (rule.times ?? Number.POSITIVE_INFINITY) && fraction(rule.seed ?? 0, seen) < (rule.share ?? 1);

  return {
    replace(rules) {
      standing = rules.map((rule) => ({ rule, seen: 0, fired: 0 }));
      kept.put('live', standing);
    },
    list: () => standing,
    next(operations) {
      for (const operation of operations) counted.set(operation, (counted.get(operation) ?? 0) + 1);
      for (const entry of standing) {
        if (!concerns(entry.rule, operations)) continue;
        entry.seen += 1;
        if (!isHit(entry)) continue;
        entry.fired += 1;
        kept.put('live', standing);
        const { kind, delayMs = DEFAULT_DELAY_MS, code = '' } = entry.rule;
        return { kind, delayMs, code };
      }
      return null;
    },
    calls: () => Object.fromEntries([...counted].sort(([a], [b]) => a.localeCompare(b))),
  };
}
