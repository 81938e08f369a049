import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const SIGNALS = new URL('../../services/stop-signals.ts', import.meta.url).href;

/** Says when it hears; when it is told to stop it still speaks, takes a while, and notes which signal it was. */
const program = (note: string): string => `
  const { hearStopSignals } = await import('${SIGNALS}');
  const { writeFileSync } = await import('node:fs');
  hearStopSignals((signal) => {
    console.log('stopping');
    console.error('stopping');
    setTimeout(() => {
      writeFileSync(${JSON.stringify(note)}, signal);
      process.exit(0);
    }, 100);
  }, () => process.exit(9));
  setInterval(() => {}, 1_000);
  console.log('hears');`;

/** Starts it on a terminal, closes that as soon as it hears, and ends with its code, or 128 and the signal. */
const ON_A_TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b''
while b'hears' not in said:
    said += os.read(terminal, 1024)
os.close(terminal)
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))`;

const aNote = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'order-manager-signals-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'note');
};
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;
const node = (note: string): string[] => [process.execPath, '--input-type=module', '--eval', program(note)];

test.skipIf(!hasPython)('a terminal that is closed stops what runs in it in order', () => {
  const note = aNote();
  const { status } = spawnSync('python3', ['-c', ON_A_TERMINAL, ...node(note)], { timeout: 20_000 });
  expect(status).toBe(0);
  expect(readFileSync(note, 'utf8')).toBe('SIGHUP');
});
