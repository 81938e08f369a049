import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { buildClientSchema, type IntrospectionQuery, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { trackingKeyOf } from '../../contracts/ids.ts';
import {
  LINKED_BY_SHOPIFY,
  toTrackingCompany,
  toTrackingInfo,
  withOthers,
} from '../../services/shopify/carriers.ts';

const SCHEMA = new URL(
  '../../node_modules/@shopify/dev-mcp/dist/data/admin_2026-10.json.gz',
  import.meta.url,
);

/** Shopify documents its list in the field's own description: one bullet each, up to the lists by country. */
function companiesOfEveryCountry(): string[] {
  const content: { data: IntrospectionQuery } = JSON.parse(gunzipSync(readFileSync(SCHEMA)).toString('utf8'));
  const type = buildClientSchema(content.data).getType('FulfillmentTrackingInfo');
  const description = isObjectType(type) ? (type.getFields().company?.description ?? '') : '';
  const [everywhere = ''] = description.split('for shops located in specific countries');
  return [...everywhere.matchAll(/^ +\* (.+)$/gm)].map(([, company = '']) => company);
}

test('every company without a link of ours is spelled exactly as Shopify lists it for all countries', () => {
  const listed = companiesOfEveryCountry();
  expect(listed.length).toBeGreaterThan(90);
  expect(LINKED_BY_SHOPIFY.filter((company) => !listed.includes(company))).toEqual([]);
});

test.each([
  ['YunExpress', 'YunExpress'],
  ['  yun   express ', 'YunExpress'],
  ['YUN-EXPRESS', 'YunExpress'],
  ['4px', '4PX'],
  ['4PX Standard Line', '4PX'],
  ['China Post Registered Air Mail', 'China Post'],
  ['ePacket', 'China Post'],
  ['USPS Ground Advantage', 'USPS'],
  ['USPS+', 'USPS'],
  ['DHL eCommerce Asia', 'DHL eCommerce Asia'],
  ['dhl ecommerce', 'DHL eCommerce'],
  ['LaserShip', 'Lasership'],
  ['La Poste', 'La Poste Colissimo'],
  ['Postnord Sweden', 'PostNord SE'],
  ['Japan Post', 'Japan Post (EN)'],
  ['Evri (Hermes UK)', 'Evri'],
])('%j is %s, whose link Shopify builds', (carrier, company) => {
  expect(toTrackingCompany(carrier, 'N1')).toEqual({ company });
});

test.each([
  'Yanwen',
  'Cainiao',
  'CJPacket Ordinary',
  'AliExpress Standard',
  'DHL',
  'Hermes',
  'Correos Express',
  'La Poste Burkina Faso',
  'constructor',
  '燕文物流',
])('%j keeps its name and gets the link of a page for all carriers', (carrier) => {
  const url = 'https://t.17track.net/en#nums=YP%201';
  expect(toTrackingCompany(`  ${carrier} `, ' YP 1 ')).toEqual({ company: carrier, url });
});

test('the page of the supplier is preferred for an unlisted carrier, if it is absolute https', () => {
  const page = (url: string | null) => toTrackingCompany('Yanwen', 'YP1', url).url;
  const fallback = 'https://t.17track.net/en#nums=YP1';
  expect(page(' https://track.example/YP1 ')).toBe('https://track.example/YP1');
  for (const url of ['http://track.example/YP1', 'track.example/YP1', 'javascript:alert(1)', '', null]) {
    expect(page(url)).toBe(fallback);
  }
  expect(toTrackingCompany('USPS', 'YP1', 'https://track.example/YP1')).toEqual({ company: 'USPS' });
});

test('a parcel without a named carrier is not left to guessing', () => {
  for (const carrier of [null, '', '  ']) {
    expect(toTrackingCompany(carrier, 'X1')).toEqual({
      company: 'Other',
      url: 'https://t.17track.net/en#nums=X1',
    });
  }
});

test('one number travels alone, a last-mile number beside it with a link each', () => {
  const parcel = {
    trackingNumber: ' YT1 ',
    lastMileTrackingNumber: null,
    carrier: 'YunExpress',
    trackingUrl: null,
  };
  expect(toTrackingInfo(parcel)).toEqual({ company: 'YunExpress', number: 'YT1' });
  expect(toTrackingInfo({ ...parcel, lastMileTrackingNumber: 'y t1' })).toEqual({
    company: 'YunExpress',
    number: 'YT1',
  });
  expect(toTrackingInfo({ ...parcel, lastMileTrackingNumber: '9400' })).toEqual({
    company: 'YunExpress',
    numbers: ['YT1', '9400'],
    urls: ['https://t.17track.net/en#nums=YT1', 'https://t.17track.net/en#nums=9400'],
  });
});

test('beside the numbers of others their links stand as they are, but for one that the shop would refuse', () => {
  const own = { company: 'YunExpress', number: 'YT1' };
  const others = [
    { number: 'BY-HAND', url: 'https://carrier.example/BY-HAND' },
    { number: '4PX1', url: 'http://track.4px.com/query/4PX1' },
  ];
  expect(withOthers(own, others)).toEqual({
    company: 'YunExpress',
    numbers: ['YT1', 'BY-HAND', '4PX1'],
    urls: [
      'https://t.17track.net/en#nums=YT1',
      'https://carrier.example/BY-HAND',
      'https://t.17track.net/en#nums=4PX1',
    ],
  });
});

test('blanks and case do not make another tracking number', () => {
  expect(trackingKeyOf(' yt 00\t1 ')).toBe(trackingKeyOf('YT001'));
  expect(trackingKeyOf('YT001')).not.toBe(trackingKeyOf('YT002'));
});
