import { z } from 'zod';
import { FieldProblems } from '../../contracts/resources/problem.ts';
import { StuckList, StuckQuery } from '../../contracts/resources/stuck.ts';
import { json } from './described.ts';
import type { RouteDoc } from './route-doc.ts';

export const OPERATION_DOCS: Readonly<Record<string, RouteDoc>> = {
  'GET /healthz': {
    tag: 'Operation',
    summary: 'Say that the process lives',
    answers: { 200: json(z.object({ status: z.literal('ok') })) },
  },
  'GET /readyz': {
    tag: 'Operation',
    summary: 'Say whether orders are worked on',
    description: '`warnings` is there when a person should see to something while orders are still taken.',
    answers: { 200: json(z.object({ status: z.literal('ready'), warnings: FieldProblems.optional() })) },
  },
  'GET /metrics': {
    tag: 'Operation',
    summary: 'Show the measurements',
    answers: { 200: [{ mediaType: 'text/plain', description: 'In the text format of Prometheus.' }] },
  },
  'GET /stuck': {
    tag: 'Operation',
    summary: 'List what waits longer than it may, longest first',
    description:
      'By the table of deadlines, and whatever has no timer although its state wants one. Each says why, and what to do.',
    query: StuckQuery,
    answers: { 200: json(StuckList) },
  },
  'GET /openapi.json': {
    tag: 'Documents',
    summary: 'Get this description of the API',
    answers: { 200: json(z.looseObject({ openapi: z.string() })) },
  },
  'GET /asyncapi.json': {
    tag: 'Documents',
    summary: 'Get the description of what other agents may hear and ask over NATS',
    answers: { 200: json(z.looseObject({ asyncapi: z.string() })) },
  },
  'GET /docs': {
    tag: 'Documents',
    summary: 'Show this description as a page on which calls can be tried',
    answers: { 200: [{ mediaType: 'text/html', description: 'A page.' }] },
  },
  'GET /docs/:file': {
    tag: 'Documents',
    summary: 'Get a file of that page, or the page for other agents',
    params: { file: 'Name of the file; `agents` for the page about NATS.' },
    answers: {
      200: [
        { mediaType: 'text/javascript', description: 'A script.' },
        { mediaType: 'text/css', description: 'A style sheet.' },
        { mediaType: 'text/html', description: 'The page about NATS.' },
      ],
    },
    problems: [404],
  },
};
