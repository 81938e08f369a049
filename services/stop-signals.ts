/** Ctrl-C reaches npm and us, and npm hands it on to us: within this time two are one. */
const ECHO_MS = 500;

/**
 * From now on SIGTERM, SIGINT and the end of the terminal end nothing by themselves: the first one calls `onFirst`, a
 * later one `onSecond`.
 */
export function hearStopSignals(onFirst: (signal: string) => void, onSecond: () => void): void {
  let toldAt: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.on(signal, () => {
      // What is said on the way out goes to a terminal that is gone.
      if (signal === 'SIGHUP')
        for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
      if (toldAt === undefined) {
        toldAt = performance.now();
        onFirst(signal);
      } else if (performance.now() - toldAt > ECHO_MS) onSecond();
    });
}
