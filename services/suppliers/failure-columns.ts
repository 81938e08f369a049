import type { FailureClass } from '../../contracts/vocabulary.ts';

/** `write`: placing and paying, where doubt must stay doubt. `read`: everything else. */
export type CallKind = 'read' | 'write';

/** What one answer of a supplier means, by the kind of call that it answers. */
export type FailureColumns = Readonly<Record<CallKind, FailureClass>>;

export const same = (failureClass: FailureClass): FailureColumns => ({
  read: failureClass,
  write: failureClass,
});

/** Of a write nobody knows what it did; of a read the class is known. */
export const doubtful = (read: FailureClass): FailureColumns => ({ read, write: 'unknown_outcome' });
