/** Ctrl-C reaches npm and us, and npm hands it on to us: within this time two are one. */
const ECHO_MS = 500;

/**
 * From now on SIGTERM and SIGINT end nothing by themselves: the first one calls `onFirst`, a later one `onSecond`.
 */
export function hearStopSignals(onFirst: (signal: string) => void, onSecond: () => void): void {
  let toldAt: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => {
      if (toldAt === undefined) {
        toldAt = performance.now();
        onFirst(signal);
      } else if (performance.now() - toldAt > ECHO_MS) onSecond();
    });
}
