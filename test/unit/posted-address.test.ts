import { expect, test } from 'vitest';
import { PutOrder } from '../../contracts/resources/order-requests.ts';
import { PostedAddress } from '../../contracts/resources/posted-address.ts';

const read = (country: string) =>
  PostedAddress.safeParse({ last_name: 'Dupont', address1: '12 rue des Lilas', city: 'Paris', country });

test.each(['FR', 'GB', 'US', 'CN', 'GG', 'PR', 'XK', 'AX'])('goods may be sent to %s', (country) => {
  expect(read(country)).toMatchObject({ success: true, data: { country } });
});

test.each(['ZZ', 'AA', 'QQ', 'XX', 'EU', 'UN', 'EZ', 'IC', 'XA', 'fr', 'FRA', ''])(
  'no parcel finds "%s", so nothing is bought for it',
  (country) => {
    const { error } = read(country);
    expect(error?.issues.map(({ path }) => path)).toEqual([['country']]);
  },
);

test.each([
  ['UK', 'GB'],
  ['SU', 'RU'],
  ['TP', 'TL'],
])('whoever writes %s is told that %s may be meant', (country, meant) => {
  expect(read(country).error?.issues).toMatchObject([
    { path: ['country'], message: expect.stringContaining(`is ${meant} meant?`) },
  ]);
});

const takesMail = (email: string): readonly boolean[] => [
  PostedAddress.safeParse({ last_name: 'Dupont', address1: '12 rue', city: 'Paris', country: 'FR', email })
    .success,
  PutOrder.safeParse({ contact: { email } }).success,
];

test.each([
  'jean.dupont@example.com',
  "o'neil+shop@mail.example.co.uk",
  'jürgen@müller-straße.de',
  '用户@例子.中国',
  'jean@xn--mller-kva.xn--p1ai',
])('%s can be written to', (email) => {
  expect(takesMail(email)).toEqual([true, true]);
});

test.each([
  'jean',
  'jean@',
  '@example.com',
  'jean@example',
  'jean@@example.com',
  'jean@example..com',
  'jean..dupont@example.com',
  '.jean@example.com',
  'jean.@example.com',
  'jean@-example.com',
  'jean@example.c',
  'jean@example.com, paul@example.com',
  'Jean <jean@example.com>',
  'jean dupont@example.com',
  'jean@exam\u200bple.com',
  'jean@example.com\r\nBcc: paul@example.com',
  `${'x'.repeat(65)}@example.com`,
  `jean@${'x.'.repeat(100)}com`,
])('nobody can be written to at %j', (email) => {
  expect(takesMail(email)).toEqual([false, false]);
});
