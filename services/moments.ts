const DEEDS = ['create', 'pay', 'repeat'] as const;
const STEPS = [
  'before intent commit',
  'after intent commit before call',
  'after call before record',
  'after record before publish',
] as const;

/** Where a purchase can be cut off, by name. A look-up has no intent of its own. */
export type Moment =
  | `${(typeof DEEDS)[number]}: ${(typeof STEPS)[number]}`
  | `look-up: ${'before call' | 'after call before record' | 'after record before publish'}`;

export const MOMENTS: readonly Moment[] = [
  ...DEEDS.flatMap((deed) => STEPS.map((step) => `${deed}: ${step}` as const)),
  'look-up: before call',
  'look-up: after call before record',
  'look-up: after record before publish',
];

let strike: ((moment: Moment) => void) | null = null;

/** Marks a place at which the fault suites have the process die. Does nothing anywhere else. */
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
