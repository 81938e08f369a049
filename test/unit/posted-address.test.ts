import { expect, test } from 'vitest';
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
