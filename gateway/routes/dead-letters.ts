import type { H3Event, HTTPResponse } from 'h3';
import type { DeadLetterAction } from '../../contracts/dead-letters.ts';
import {
  type DeadLetterList,
  DeadLetterListQuery,
  type DeadLetterView,
  EditDeadLetter,
  ReplayDeadLetters,
  SkipDeadLetter,
  SkipDeadLetters,
} from '../../contracts/resources/dead-letter.ts';
import { accepted } from '../answer.ts';
import { holderOf } from '../api-key.ts';
import type { Wish } from '../letter-request.ts';
import { cutPage } from '../page.ts';
import { readJson, readParam, readQuery } from '../read-input.ts';
import type { Route } from '../route.ts';
import { noSuchLetter, type Ports, settleLetter, settleLetters } from '../settle-letters.ts';
import { readLetter, readLetters } from '../views/dead-letter-view.ts';

/** @throws AppError `not_found` for what can be no id of ours. */
function letterIdIn(event: H3Event): string {
  const id = readParam(event, 'letterId');
  if (/^\d{1,18}$/.test(id)) return id;
  throw noSuchLetter(id);
}

const wishOf = (event: H3Event, action: DeadLetterAction, note: string | null = null): Wish => ({
  action,
  by: holderOf(event),
  note,
});

export const deadLetterRoutes = (ports: Ports): Route[] => [
  {
    method: 'GET',
    path: '/dead-letters',
    handle: async (event): Promise<DeadLetterList> => {
      const query = readQuery(event, DeadLetterListQuery);
      return cutPage(await readLetters(ports.store, query), query.limit, ({ id }) => id);
    },
  },
  {
    method: 'POST',
    path: '/dead-letters/replay',
    handle: async (event): Promise<HTTPResponse> => {
      const query = await readJson(event, ReplayDeadLetters);
      return accepted(await settleLetters(ports, query, wishOf(event, 'replay')));
    },
  },
  {
    method: 'POST',
    path: '/dead-letters/skip',
    handle: async (event): Promise<HTTPResponse> => {
      const { note, ...query } = await readJson(event, SkipDeadLetters);
      return accepted(await settleLetters(ports, query, wishOf(event, 'skip', note)));
    },
  },
  {
    method: 'GET',
    path: '/dead-letters/:letterId',
    handle: async (event): Promise<DeadLetterView> => {
      const id = letterIdIn(event);
      const letter = await readLetter(ports.store, id);
      if (letter === undefined) throw noSuchLetter(id);
      return letter;
    },
  },
  {
    method: 'POST',
    path: '/dead-letters/:letterId/replay',
    handle: async (event): Promise<HTTPResponse> =>
      accepted(await settleLetter(ports, letterIdIn(event), wishOf(event, 'replay'))),
  },
  {
    method: 'POST',
    path: '/dead-letters/:letterId/skip',
    handle: async (event): Promise<HTTPResponse> => {
      const id = letterIdIn(event);
      const { note } = await readJson(event, SkipDeadLetter);
      return accepted(await settleLetter(ports, id, wishOf(event, 'skip', note)));
    },
  },
  {
    method: 'POST',
    path: '/dead-letters/:letterId/edit',
    handle: async (event): Promise<HTTPResponse> => {
      const id = letterIdIn(event);
      const { note, data } = await readJson(event, EditDeadLetter);
      return accepted(await settleLetter(ports, id, { ...wishOf(event, 'edit', note), data }));
    },
  },
];
