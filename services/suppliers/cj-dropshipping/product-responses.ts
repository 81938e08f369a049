import { z } from 'zod';
import { MaybeAmount, MaybeRange, MaybeText } from '../loose-json.ts';
import { rowsOf } from './responses.ts';

const parsedList = (text: string): unknown[] => {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
};

/** Texts as a list, as a JSON list inside a text, or a single one. */
const Texts = z
  .union([z.array(z.unknown()), z.string()])
  .nullish()
  .transform((value) => {
    const list = typeof value === 'string' ? (value.startsWith('[') ? parsedList(value) : [value]) : value;
    return (list ?? []).filter((text) => typeof text === 'string').filter((text) => text !== '');
  });

/** An item of listV2 or, under other names, of the older list. Prices are dollars and may be ranges. */
export const SearchItem = z
  .object({
    id: MaybeText,
    pid: MaybeText,
    nameEn: MaybeText,
    productNameEn: MaybeText,
    bigImage: MaybeText,
    productImage: Texts,
    sellPrice: MaybeRange,
    nowPrice: MaybeRange,
    warehouseInventoryNum: MaybeAmount,
    totalVerifiedInventory: MaybeAmount,
    totalUnVerifiedInventory: MaybeAmount,
  })
  .transform((item) => {
    const { totalVerifiedInventory: verified, totalUnVerifiedInventory: unverified } = item;
    const counted = verified === null && unverified === null ? null : (verified ?? 0) + (unverified ?? 0);
    return {
      id: item.pid ?? item.id,
      title: item.nameEn ?? item.productNameEn ?? '',
      imageUrl: item.bigImage ?? item.productImage[0] ?? null,
      price: item.sellPrice ?? item.nowPrice,
      stock: item.warehouseInventoryNum ?? counted,
    };
  });
export type SearchItem = z.infer<typeof SearchItem>;

/** listV2 wraps its items in `content`, the older list does not. */
export const SearchData = z
  .object({
    content: rowsOf(z.object({ productList: rowsOf(SearchItem) })),
    list: rowsOf(SearchItem),
    totalRecords: MaybeAmount,
    total: MaybeAmount,
  })
  .nullish()
  .transform((page) => ({
    items: [...(page?.content ?? []).flatMap(({ productList }) => productList), ...(page?.list ?? [])],
    total: page?.totalRecords ?? page?.total ?? null,
  }));

/**
 * A row of any stock call: the names of its counts differ. `units` are all pieces there, those of the factory included;
 * null where none is counted.
 */
export const StockRow = z
  .object({
    vid: MaybeText,
    countryCode: MaybeText,
    totalInventoryNum: MaybeAmount,
    totalInventory: MaybeAmount,
    storageNum: MaybeAmount,
    cjInventoryNum: MaybeAmount,
    cjInventory: MaybeAmount,
    factoryInventoryNum: MaybeAmount,
    factoryInventory: MaybeAmount,
  })
  .transform((row) => {
    const own = row.cjInventoryNum ?? row.cjInventory;
    const factory = row.factoryInventoryNum ?? row.factoryInventory;
    const sum = own === null && factory === null ? null : (own ?? 0) + (factory ?? 0);
    const units = row.totalInventoryNum ?? row.totalInventory ?? row.storageNum ?? sum;
    return {
      vid: row.vid,
      countryCode: row.countryCode?.toUpperCase() ?? null,
      units: units === null ? null : Math.max(0, Math.floor(units)),
    };
  });
export type StockRow = z.infer<typeof StockRow>;

/** getInventoryByPid: the product's stock and that of each variant. */
export const InventoryData = z
  .object({
    inventories: rowsOf(StockRow),
    variantInventories: rowsOf(
      z.object({ vid: MaybeText, inventory: rowsOf(StockRow), inventories: rowsOf(StockRow) }),
    ),
  })
  .nullish()
  .transform((data) => ({
    product: data?.inventories ?? [],
    variants: (data?.variantInventories ?? []).map(({ vid, inventory, inventories }) => ({
      vid,
      rows: [...inventory, ...inventories],
    })),
  }));

export const VariantData = z.object({
  vid: MaybeText,
  pid: MaybeText,
  variantNameEn: MaybeText,
  variantSku: MaybeText,
  variantKey: MaybeText,
  variantImage: MaybeText,
  variantSellPrice: MaybeAmount,
  inventories: rowsOf(StockRow),
});
export type VariantData = z.infer<typeof VariantData>;

/** queryByVid: the variant, or a list around it, which its documents leave open. */
export const VariantRows = z.union([rowsOf(VariantData), VariantData.transform((variant) => [variant])]);

/** product/query. `deliveryCycle`: days until it leaves, as "3-5". */
export const ProductData = z.object({
  pid: MaybeText,
  productNameEn: MaybeText,
  bigImage: MaybeText,
  productImage: Texts,
  productImageSet: Texts,
  productKeyEn: MaybeText,
  sellPrice: MaybeRange,
  status: MaybeText,
  description: MaybeText,
  deliveryCycle: MaybeText,
  variants: rowsOf(VariantData),
});
export type ProductData = z.infer<typeof ProductData>;
