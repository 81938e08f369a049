import type { Bus } from '../bus/bus.ts';
import type { Logger } from '../logger.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import { commandLetter } from '../store/command-letter.ts';
import { layDownCommand } from '../store/dead-letters.ts';
import type { Store } from '../store/store.ts';

const FAILURE = JSON.stringify({ name: 'Undelivered', message: 'delivered again and again, never answered' });

/** Makes dead letters of the commands that the server has given up. Any number of copies may run it. */
export const startUndeliveredLoop = (store: Store, bus: Bus, log: Logger): Periodic =>
  startPeriodic('undelivered commands', 10_000, log, async () => {
    const taken = await bus.takeUndelivered(async (command) => {
      await layDownCommand(store, commandLetter(command, 'undelivered', FAILURE));
      log.error({ subject: command.subject }, 'dead letter: whoever took the command never answered');
    });
    return taken > 0 ? 'more' : 'idle';
  });
