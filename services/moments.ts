const OF_A_COMMAND = ['command: before handling', 'command: after handling before acknowledgement'] as const;
const OF_THE_OUTBOX = ['outbox: after publish before mark'] as const;
const DEEDS = ['create', 'pay', 'repeat'] as const;
const STEPS = [
  'before intent commit',
  'after intent commit before call',
  'after call before record',
  'after record before publish',
] as const;
const ofDeed = <Deed extends (typeof DEEDS)[number]>(deed: Deed) =>
  STEPS.map((step) => `${deed}: ${step}` as const);

/** Where each service can be cut off, by name. A look-up has no intent of its own. */
export const MOMENTS = {
  gateway: ['intake: before commit', 'intake: after commit before publish', ...OF_THE_OUTBOX],
  orders: [
    'batch: before fence',
    'batch: before commit',
    'batch: after commit before publish',
    'timers: after commit before publish',
    ...OF_THE_OUTBOX,
  ],
  suppliers: [
    ...OF_A_COMMAND,
    ...DEEDS.flatMap(ofDeed),
    'look-up: before call',
    'look-up: after call before record',
    'look-up: after record before publish',
    ...OF_THE_OUTBOX,
  ],
  shopify: [
    ...OF_A_COMMAND,
    'fulfil: before call',
    'fulfil: after call before record',
    'fulfil: after record before publish',
    'progress: after call before record',
    ...OF_THE_OUTBOX,
  ],
  notifier: [
    ...OF_A_COMMAND,
    'mail: before call',
    'mail: after call before record',
    'mail: after record before publish',
    ...OF_THE_OUTBOX,
  ],
} as const;
export type Moment = (typeof MOMENTS)[keyof typeof MOMENTS][number];

let strike: ((moment: Moment) => void) | null = null;

/** Marks a place at which the fault suites have the process die or stand still. Does nothing anywhere else. */
export function moment(name: Moment): void {
  strike?.(name);
}

/**
 * Has this process die as by a power cut when it comes to a moment. @param plan a moment and at which passing of it, as
 * `pay: before call#2`; without a number the first.
 */
export function dieAtMoment(plan: string): void {
  const [name = '', number = '1'] = plan.split('#');
  let passings = 0;
  strike = (passed) => {
    if (passed !== name) return;
    passings += 1;
    if (passings === Number(number)) process.kill(process.pid, 'SIGKILL');
  };
}

/**
 * Lets the fault suite, which started this process with a channel to it, name a moment over that channel: when the
 * process comes there it says the name back and stands still, as a machine that lost its processor.
 */
export function stopAtNamedMoments(): void {
  process.on('message', (name) => {
    strike = (passed) => {
      if (passed !== name) return;
      strike = null;
      process.send?.(name);
      process.kill(process.pid, 'SIGSTOP');
    };
  });
}
