import { expect, test } from 'vitest';
import { readTraceparent, traceIdOf } from '../../contracts/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test('a trace context is carried on as it came', () => {
  expect(readTraceparent(`00-${TRACE}-${SPAN}-01`)).toBe(`00-${TRACE}-${SPAN}-01`);
  expect(traceIdOf(`00-${TRACE}-${SPAN}-01`)).toBe(TRACE);
});

test('one of a later version is read as ours, whatever stands behind it', () => {
  expect(readTraceparent(`cc-${TRACE}-${SPAN}-01-more`)).toBe(`00-${TRACE}-${SPAN}-01`);
});

test.each([
  undefined,
  null,
  '',
  'nonsense',
  `ff-${TRACE}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01x`,
  ` 00-${TRACE}-${SPAN}-01`,
])('%j is no trace context and is dropped', (header) => {
  expect(readTraceparent(header)).toBeUndefined();
});
