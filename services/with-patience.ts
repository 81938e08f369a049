/**
 * The work's result, or an error with code ETIMEDOUT after the time: work on a connection that died in silence would
 * otherwise be waited for until the kernel gives up, a quarter of an hour later. The work itself is not stopped.
 */
export function withPatience<T>(work: Promise<T>, patienceMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    const late = Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => reject(late), patienceMs);
  });
  return Promise.race([work, patience]).finally(() => clearTimeout(timer));
}
