import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applied, MUTATIONS } from '../fault/guards.ts';

test.each(Object.entries(MUTATIONS))(
  '%s can be switched off by an edit of the sources as they are',
  (_guard, edits) => {
    for (const edit of edits) {
      const text = readFileSync(new URL(`../../${edit.file}`, import.meta.url), 'utf8');
      expect(applied(text, edit)).not.toBe(text);
    }
  },
);
