import { expect, test } from 'vitest';
import {
  InventoryData,
  ProductData,
  SearchData,
  StockRow,
  VariantRows,
} from '../../services/suppliers/cj-dropshipping/product-responses.ts';
import { byCountry } from '../../services/suppliers/cj-dropshipping/stock.ts';
import { optionsOf } from '../../services/suppliers/cj-dropshipping/variant-options.ts';

test('the items of both lists come out alike, from their different names and wrappings', () => {
  const newer = {
    content: [
      {
        productList: [
          {
            id: '1',
            nameEn: 'Mug',
            bigImage: 'https://img.example/1.jpg',
            sellPrice: '4.10',
            warehouseInventoryNum: 7,
          },
        ],
        relatedCategoryList: [],
      },
      null,
      { productList: null },
    ],
    totalRecords: '6000',
  };
  const older = {
    list: [{ pid: 1, productNameEn: 'Mug', productImage: 'https://img.example/1.jpg', sellPrice: 4.1 }],
    total: 6000,
  };
  const mug = { id: '1', title: 'Mug', imageUrl: 'https://img.example/1.jpg', price: { min: 4.1, max: 4.1 } };
  expect(SearchData.parse(newer)).toEqual({ items: [{ ...mug, stock: 7 }], total: 6000 });
  expect(SearchData.parse(older)).toEqual({ items: [{ ...mug, stock: null }], total: 6000 });
  expect(SearchData.parse(null)).toEqual({ items: [], total: null });
});

test.each([
  ['15.16 -- 15.17', { min: 15.16, max: 15.17 }],
  ['15.17-15.16', { min: 15.16, max: 15.17 }],
  ['15.16', { min: 15.16, max: 15.16 }],
  [3, { min: 3, max: 3 }],
  ['on request', null],
  ['', null],
  [null, null],
])('the price %j of a search is read', (sellPrice, price) => {
  expect(SearchData.parse({ list: [{ pid: '1', sellPrice }] }).items[0]?.price).toEqual(price);
});

test('verified and unverified stock count together where no sum is named', () => {
  const stockOf = (item: object) => SearchData.parse({ list: [{ pid: '1', ...item }] }).items[0]?.stock;
  expect(stockOf({ totalVerifiedInventory: 2, totalUnVerifiedInventory: '3' })).toBe(5);
  expect(stockOf({ totalUnVerifiedInventory: 3 })).toBe(3);
  expect(stockOf({})).toBeNull();
});

test.each([
  ['{"totalInventoryNum":9,"cjInventoryNum":4,"factoryInventoryNum":5,"storageNum":1}', 9],
  ['{"totalInventory":"9"}', 9],
  ['{"storageNum":9}', 9],
  ['{"cjInventory":4,"factoryInventory":5}', 9],
  ['{"cjInventoryNum":4}', 4],
  ['{"totalInventoryNum":null}', null],
  ['{"totalInventoryNum":-2}', 0],
])('the pieces of the stock row %s are counted', (row, units) => {
  expect(StockRow.parse(JSON.parse(row)).units).toBe(units);
});

test('warehouses of one country count together, and rows without a country not at all', () => {
  const rows = [
    { countryCode: 'CN', totalInventoryNum: 2 },
    { countryCode: 'cn', totalInventory: 3 },
    { countryCode: 'US', storageNum: 0 },
    { countryCode: null, storageNum: 7 },
    { countryCode: 'EUR', storageNum: 7 },
  ].map((row) => StockRow.parse(row));
  expect([...(byCountry(rows) ?? [])]).toEqual([
    ['CN', 5],
    ['US', 0],
  ]);
  expect(byCountry([])).toBeNull();
});

test('an inventory of nulls says nothing', () => {
  expect(InventoryData.parse(null)).toEqual({ product: [], variants: [] });
  expect(
    InventoryData.parse({ inventories: null, variantInventories: [null, { vid: 1, inventory: null }] }),
  ).toEqual({
    product: [],
    variants: [{ vid: '1', rows: [] }],
  });
});

test('a variant comes alone, in a list or not at all', () => {
  for (const one of [{ vid: 7 }, [{ vid: '7' }], [null, { vid: '7' }]])
    expect(VariantRows.parse(one)).toMatchObject([{ vid: '7' }]);
  for (const none of [null, undefined, []]) expect(VariantRows.parse(none)).toEqual([]);
});

test.each([
  ['["https://img.example/1.jpg","https://img.example/2.jpg"]', 2],
  ['https://img.example/1.jpg', 1],
  ['[broken', 0],
  [null, 0],
])('the images in %j are found', (productImage, count) => {
  expect(ProductData.parse({ productImage }).productImage).toHaveLength(count);
});

test.each([
  ['Color-Size', 'Red-L', ['Color: Red', 'Size: L']],
  ['Color', 'Red', ['Color: Red']],
  ['Color', 'Red-ish', ['Color: Red-ish']],
  ['Color-Size', 'Dark-Red-L', ['Color-Size: Dark-Red-L']],
  ['Color-Size', '["Dark-Red","L"]', ['Color: Dark-Red', 'Size: L']],
  [null, 'Red', ['Variant: Red']],
  ['Color', null, []],
  ['Color', '[]', []],
])('with the names %j the choice %j means %j', (names, choice, labels) => {
  expect(optionsOf(names, choice).map(({ name, value }) => `${name}: ${value}`)).toEqual(labels);
});
