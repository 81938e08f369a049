/** Small enough for every run of the tests; under this seed each kind of fault meets what it is about. */
export const SHORT_FORM = {
  orders: 60,
  faults: 19,
  seed: 756,
  copies: 2,
  natsServers: 1,
  settleMs: 60_000,
  sweepSeconds: 3,
  retrySeconds: 3,
} as const;
