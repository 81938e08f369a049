import type { JetStreamClient, JetStreamManager } from 'nats';
import { z } from 'zod';
import { STREAMS } from '../../contracts/subjects.ts';
import { isNotFound, UNDELIVERED } from './streams.ts';

/** A command that the server has given up: whoever took it died of it, again and again. */
export interface UndeliveredCommand {
  readonly subject: string;
  readonly payload: string;
}

const Advisory = z.object({ stream: z.string(), stream_seq: z.int() });
const AT_ONCE = 50;

/** Which command an advisory is about; null for what is no advisory. */
function seqIn(text: string): number | null {
  try {
    return Advisory.parse(JSON.parse(text)).stream_seq;
  } catch {
    return null;
  }
}

/**
 * Takes what the server has given up out of the queue of commands, where it would lie for ever.
 * @param keep stores it; a command whose keeping fails comes again.
 * @returns how many were reported; the next round takes the rest.
 */
export async function takeUndelivered(
  jetstream: JetStreamClient,
  manager: JetStreamManager,
  keep: (command: UndeliveredCommand) => Promise<void>,
): Promise<number> {
  const consumer = await jetstream.consumers.get(STREAMS.advisories, UNDELIVERED);
  let reported = 0;
  for await (const message of await consumer.fetch({ max_messages: AT_ONCE, expires: 1_000 })) {
    reported += 1;
    const seq = seqIn(message.string());
    if (seq === null) {
      // Nobody will ever read it, and it would keep back those behind it.
      message.term();
      continue;
    }
    try {
      const { subject, data } = await manager.streams.getMessage(STREAMS.commands, { seq });
      await keep({ subject, payload: new TextDecoder().decode(data) });
      await manager.streams.deleteMessage(STREAMS.commands, seq, false);
    } catch (error) {
      // Answered after all, or taken out by another copy.
      if (!isNotFound(error)) throw error;
    }
    message.ack();
  }
  return reported;
}
