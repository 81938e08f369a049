import { closeSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Entry = z.tuple([z.string(), z.string(), z.unknown()]);

/** Entities of one kind, in the order in which they first appeared. */
export interface Collection<T> {
  get(id: string): T | undefined;
  all(): T[];
  /** Keeps and journals the value. Call it again after changing an entity: only what was put survives. */
  put(id: string, value: T): void;
  readonly size: number;
}

export interface Journal {
  /** The entities of `kind` that earlier runs left. Throws ZodError if the file holds something else. */
  collection<T>(kind: string, schema: z.ZodType<T>): Collection<T>;
  close(): void;
}

type Past = Map<string, Map<string, unknown>>;

/** A line that a kill cut in half was never acted upon, so it is removed before new lines follow it. */
function replay(file: string): Past {
  const past: Past = new Map();
  const bytes = readFileSync(file);
  const complete = bytes.lastIndexOf(0x0a) + 1;
  if (complete < bytes.length) truncateSync(file, complete);
  for (const line of bytes.subarray(0, complete).toString('utf8').split('\n')) {
    if (line === '') continue;
    const [kind, id, value] = Entry.parse(JSON.parse(line));
    const entities = past.get(kind) ?? new Map<string, unknown>();
    past.set(kind, entities.set(id, value));
  }
  return past;
}

/**
 * Opens `journal.jsonl` in `dataDir` (made if missing, readable for its owner only); without a folder
 * everything lives in memory. Each change is one line `[kind, id, whole entity]`, handed to the system
 * before `put` returns: it survives the death of the process, not that of the machine.
 */
export function openJournal(dataDir: string | undefined): Journal {
  let past: Past = new Map();
  let descriptor: number | null = null;
  if (dataDir !== undefined) {
    mkdirSync(dataDir, { recursive: true });
    const file = join(dataDir, 'journal.jsonl');
    descriptor = openSync(file, 'a', 0o600);
    past = replay(file);
  }
  return {
    collection(kind, schema) {
      const entities = new Map([...(past.get(kind) ?? [])].map(([id, value]) => [id, schema.parse(value)]));
      past.delete(kind);
      return {
        get: (id) => entities.get(id),
        all: () => [...entities.values()],
        put(id, value) {
          entities.set(id, value);
          if (descriptor !== null) writeSync(descriptor, `${JSON.stringify([kind, id, value])}\n`);
        },
        get size() {
          return entities.size;
        },
      };
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}
