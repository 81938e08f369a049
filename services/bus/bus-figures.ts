import { counter, gauge, liveParts } from '../figures.ts';

/** Connections of this process to NATS; usually one. */
export const connections = liveParts<{ readonly isConnected: () => boolean }>();

gauge({ name: 'nats_connected', help: 'Whether this process has its connection to NATS' }, {}, (set) => {
  const all = [...connections];
  if (all.length > 0) set({}, all.every(({ isConnected }) => isConnected()) ? 1 : 0);
});

export const reconnections = counter(
  { name: 'nats_reconnections_total', help: 'Times that the connection to NATS was made again' },
  {},
);
