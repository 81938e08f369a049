import { expect, test } from 'vitest';
import { redact, withoutValues } from '../../contracts/redact.ts';

const ADA = ['Ada Müller-Example', '1 Sample (Street)', 'ada@mail.example', '+1 503 555 0100'];

test.each([
  ['the name: Ada Müller-Example, at 1 SAMPLE (STREET).', 'the name: (erased), at (erased).'],
  ['consignee ada muller-example refused', 'consignee (erased) refused'],
  ['Müller-Example is too long', '(erased) is too long'],
  ['write to ada@mail.example', 'write to (erased)'],
  ['write to somebody@else.example or +33 1 23 45 67 89', 'write to (mail) or (phone)'],
  ['Canada and Adam are other words', 'Canada and Adam are other words'],
  ['order 2611220001 of 2026-11-22T08:00:00.000Z', 'order 2611220001 of 2026-11-22T08:00:00.000Z'],
])('what is known of a person is taken out of a text: %s', (text, left) => {
  expect(withoutValues(text, ADA)).toBe(left);
});

test.each([
  ['收件人张伟的地址不存在', '收件人(erased)的地址不存在'],
  ['受取人山田太郎様の住所', '受取人(erased)様の住所'],
  ['김철수님에게 배송할 수 없습니다', '(erased)님에게 배송할 수 없습니다'],
  ['receiver=김철수, 王芳 is another', 'receiver=(erased), 王芳 is another'],
])('a name is found in a script that sets no spaces: %s', (text, left) => {
  expect(withoutValues(text, ['张伟', '山田太郎', '김철수'])).toBe(left);
});

test('values too short to be told from other words change nothing', () => {
  expect(withoutValues('it is so', ['', 'is', ' '])).toBe('it is so');
});

test.each(['jürgen@müller-straße.de', '用户@例子.中国', "o'neil@mail.example"])(
  'the address %s is no address any more, in whatever letters it is written',
  (email) => {
    const { said } = redact({ said: `refused for ${email}: unknown` });
    expect(said).toMatch(/^refused for .*\(mail\): unknown$/);
    expect(said).not.toContain('@');
  },
);

test.each(['available from 2026-12-01', '2026-11-20 10:00:00 (UTC)', '2026-11-20T10:00:00.123Z'])(
  'the day of %s is no telephone number',
  (said) => {
    expect(redact({ said })).toEqual({ said });
  },
);

test('the day on which a person was born is not shown', () => {
  expect(redact({ said: 'born on 1990-12-31' })).toEqual({ said: 'born on (phone)' });
});

test.each(['1-800-555-0199', '06 12 34 56 78', '(030) 123-4567-89', '+49 30 1234567'])(
  'the number %s is none any more',
  (number) => {
    expect(redact({ said: `call ${number} now` }).said).toMatch(/^call .{0,2}\(phone\) now$/);
  },
);
