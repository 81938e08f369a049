import { HTTPResponse } from 'h3';

const json = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): HTTPResponse =>
  new HTTPResponse(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });

/** Committed, and soon to be read at this path. */
export const created = (path: string, body: object): HTTPResponse => json(201, body, { location: path });

/** Committed; what was asked for follows in a moment. */
export const accepted = (body: object): HTTPResponse => json(202, body);
