import { SERVICES } from '../../deploy/local/stack.ts';
import { MOMENTS } from '../../services/moments.ts';
import { IDLE_IN_TRANSACTION_MS } from '../../services/store/pool.ts';
import { seeded } from '../fixtures/seeded.ts';

type Service = keyof typeof SERVICES;

/** One thing that is done to the system. */
export type Fault =
  | {
      readonly kind: 'die at a moment';
      readonly service: Service;
      /** Every copy, where there is too little work to count on one of them. */
      readonly copy: number | 'all';
      readonly moment: string;
    }
  | { readonly kind: 'kill'; readonly service: Service; readonly copy: number }
  | { readonly kind: 'kill all copies'; readonly service: Service }
  | { readonly kind: 'kill NATS'; readonly downMs: number }
  | { readonly kind: 'lose the store of NATS' }
  | { readonly kind: 'crash PostgreSQL'; readonly downMs: number }
  | { readonly kind: 'end every database connection'; readonly times: number }
  | {
      readonly kind: 'outage';
      readonly of: 'suppliers' | 'shop' | 'mail server';
      readonly way: string;
      readonly ms: number;
    }
  | { readonly kind: 'freeze NATS'; readonly ms: number }
  | { readonly kind: 'freeze the outside world'; readonly ms: number }
  | { readonly kind: 'stop the whole machine'; readonly ms: number }
  | { readonly kind: 'half-open sockets' }
  | { readonly kind: 'zombie'; readonly service: Service; readonly ms: number }
  | { readonly kind: 'all timers due' };

/** The sandbox's kinds of fault that any of its servers knows. */
export const WAYS = [
  'error_before',
  'error_after',
  'no_answer_before',
  'no_answer_after',
  'slow',
  'rate_limit',
  'garbage',
] as const;
/** More than a pool is wide. */
const CONNECTIONS_ENDED = 12;
/** A lease lasts three seconds. */
const PAST_THE_LEASE_MS = 4_500;

/** Where a zombie has events in hand that are another's when it wakes. To die there is to die before the commit. */
export const WITH_A_BATCH = 'batch: before fence';

/** At these moments a death can spend money or speak twice: they come first. */
const FIRST = [
  'create: after intent commit before call',
  'create: after call before record',
  'batch: after commit before publish',
  'batch: before commit',
  'intake: after commit before publish',
  'mail: after call before record',
  'fulfil: after call before record',
  'pay: after call before record',
];

/**
 * The faults of a run in their order. The same seed makes the same list; the longer one begins as the shorter one does
 * in nothing but its kinds: every round has each kind once, shuffled. @param hasLittleWork few orders for each fault.
 */
export function planFaults(count: number, seed: number, hasLittleWork: boolean): Fault[] {
  const random = seeded(seed);
  const shuffled = <T>(list: readonly T[]): T[] =>
    list
      .map((item) => ({ item, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  const services = Object.keys(SERVICES) as Service[];
  const anyOf = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
  const copy = (): number => Math.floor(random() * 2);
  const service = (): Service => anyOf(['orders', ...services]);
  const all = services.flatMap((name) =>
    MOMENTS[name].filter((moment) => moment !== WITH_A_BATCH).map((moment) => ({ service: name, moment })),
  );
  const urgent = all.filter(({ moment }) => FIRST.includes(moment));
  let ahead = [...shuffled(urgent), ...shuffled(all.filter(({ moment }) => !FIRST.includes(moment)))];
  const atMoment = (): Fault => {
    if (ahead.length === 0) ahead = shuffled(all);
    const [next, ...others] = ahead;
    ahead = others;
    const { service: who, moment } = next ?? { service: 'orders' as const, moment: 'batch: before commit' };
    return {
      kind: 'die at a moment',
      service: who,
      copy: hasLittleWork ? 'all' : copy(),
      moment: `${moment}#${hasLittleWork ? 1 : 1 + Math.floor(random() * 2)}`,
    };
  };
  let ways = 0;
  const outage = (of: 'suppliers' | 'shop' | 'mail server'): Fault => {
    ways += 1;
    return {
      kind: 'outage',
      of,
      way: WAYS[(ways + seed) % WAYS.length] ?? 'garbage',
      ms: 1_500 + 1_500 * random(),
    };
  };
  const round = (): Fault[] => [
    ...shuffled<Fault>([
      { kind: 'zombie', service: 'orders', ms: PAST_THE_LEASE_MS },
      { kind: 'kill NATS', downMs: 500 + 2_000 * random() },
      { kind: 'lose the store of NATS' },
      { kind: 'crash PostgreSQL', downMs: 500 + 1_500 * random() },
      { kind: 'end every database connection', times: CONNECTIONS_ENDED },
      { kind: 'half-open sockets' },
      { kind: 'all timers due' },
      { kind: 'kill', service: service(), copy: copy() },
      outage('suppliers'),
      outage('shop'),
      outage('mail server'),
      ...Array.from({ length: 8 }, atMoment),
    ]),
    ...shuffled<Fault>([
      { kind: 'kill all copies', service: service() },
      { kind: 'zombie', service: 'suppliers', ms: CALLS_PASSED_MS },
      { kind: 'freeze NATS', ms: 3_000 },
      { kind: 'freeze the outside world', ms: 3_000 },
      { kind: 'stop the whole machine', ms: PAST_ALL_PATIENCE_MS },
      { kind: 'kill', service: service(), copy: copy() },
      { kind: 'kill NATS', downMs: 500 },
      { kind: 'end every database connection', times: CONNECTIONS_ENDED },
      outage('suppliers'),
      outage('shop'),
      ...Array.from({ length: 8 }, atMoment),
    ]),
  ];
  const faults: Fault[] = [];
  while (faults.length < count) faults.push(...round());
  return faults.slice(0, count);
}

/** A purchase call that a frozen process was waiting for has run out of its time by then. */
const CALLS_PASSED_MS = 10_000;
/** So has every lease, and PostgreSQL's own patience with a transaction that says nothing. */
const PAST_ALL_PATIENCE_MS = IDLE_IN_TRANSACTION_MS + 3_000;

/** A cluster is there to outlive its leaders: they die where one server would lose its store or stand still. */
export const forCluster = (fault: Fault): Fault =>
  fault.kind === 'lose the store of NATS' ||
  fault.kind === 'freeze NATS' ||
  (fault.kind === 'outage' && fault.of === 'mail server')
    ? { kind: 'kill NATS', downMs: LEADERLESS_MS }
    : fault;
/** The others have chosen a new leader by then. */
const LEADERLESS_MS = 4_000;

/** One line for people. */
export function wordsOf(fault: Fault): string {
  const { kind, ...rest } = fault;
  const words = Object.values(rest).map((value) =>
    typeof value === 'number' ? String(Math.round(value)) : value,
  );
  return [kind, ...words].join(' ');
}
