import { randomUUID } from 'node:crypto';
import { deadlineDelays } from '../../contracts/deadlines.ts';
import type { ServiceContext, StopService } from '../run-service.ts';
import { eventsBehind } from './partition-figures.ts';
import { startPartitionOwner } from './partition-owner.ts';
import { startPrivacySweep } from './privacy-sweep.ts';
import { startArchiveKeeper, startSweeper } from './sweeper.ts';
import { startTimerLoop } from './timer-loop.ts';
import { startUndeliveredLoop } from './undelivered-loop.ts';

/** The actor host: reads the partition log, decides, commits; keeps timers and outbox going. */
export async function startOrders({ settings, store, bus, log }: ServiceContext): Promise<StopService> {
  const timers = startTimerLoop(store, bus, log, eventsBehind);
  const owner = startPartitionOwner(
    { store, bus, settings, delays: deadlineDelays(settings), log, onTimerDue: timers.wake },
    `orders-${randomUUID()}`,
  );
  const rounds = [
    timers,
    startSweeper(store, bus, log),
    startArchiveKeeper(store, log, settings.ORDER_MANAGER_ARCHIVE_HOURS),
    startPrivacySweep(store, settings, log),
    startUndeliveredLoop(store, bus, log),
  ];
  return async () => {
    await Promise.all([owner.stop(), ...rounds.map((round) => round.stop())]);
  };
}
