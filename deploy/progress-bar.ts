const BAR = 30;

/** A line with a bar: on a terminal drawn over itself, elsewhere a line for each tenth of the way. */
export function createProgressBar(): (done: number, total: number, text: string) => void {
  let tenth = -1;
  return (done, total, text) => {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const full = Math.round(share * BAR);
    const bar = `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${Math.round(share * 100)} %  ${text}`;
    if (process.stdout.isTTY) {
      process.stdout.write(`\r${bar}\u001b[K${share === 1 ? '\n' : ''}`);
      return;
    }
    if (Math.floor(share * 10) === tenth) return;
    tenth = Math.floor(share * 10);
    process.stdout.write(`${bar}\n`);
  };
}
