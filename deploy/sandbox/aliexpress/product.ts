import { isCountry, isEmbargoed } from '../cj/countries.ts';
import type { Shelf } from '../shelf.ts';
import { taxMinorOf } from './delivery.ts';
import { type AliExpressProduct, productById } from './goods.ts';
import { priceIn, servedCurrency } from './money.ts';
import { AliExpressRefusal, requestId } from './refusal.ts';
import { type Offer, offersOf } from './stock.ts';
import { numberId, textId, WireList } from './wire.ts';

export const imageOf = ({ productId }: AliExpressProduct): string => `https://img.example/${productId}.jpg`;

function skuBody(
  product: AliExpressProduct,
  offer: Offer,
  ship: { country: string; currency: string },
): object {
  const { country, currency } = ship;
  const properties = offer.properties.map(({ id, name, valueId, value }) => ({
    sku_property_id: id,
    sku_property_name: name,
    sku_property_value: value,
    property_value_id: valueId,
    property_value_definition_name: value,
    sku_image: imageOf(product),
  }));
  return {
    sku_id: textId(offer.skuId),
    sku_attr: offer.skuAttr,
    id: offer.skuAttr,
    sku_price: priceIn(currency, offer.priceMinor * 2),
    offer_sale_price: priceIn(currency, offer.priceMinor),
    offer_bulk_sale_price: priceIn(currency, offer.priceMinor),
    currency_code: currency,
    sku_available_stock: offer.stock,
    price_include_tax: product.isTaxIncluded,
    tax_amount: priceIn(currency, taxMinorOf(offer, country)),
    estimated_import_charges: '0.00',
    ae_sku_property_dtos: new WireList('ae_sku_property_d_t_o', properties),
  };
}

/** The answer to a product query. Throws AliExpressRefusal ITEM_ID_NOT_FOUND or for a country that gets nothing. */
export function productBody(parameters: Readonly<Record<string, string>>, shelf: Shelf): object {
  const { product_id = '', ship_to_country = '' } = parameters;
  const product = productById(product_id);
  if (product === undefined) throw new AliExpressRefusal('ITEM_ID_NOT_FOUND', 'ITEM_ID_NOT_FOUND');
  if (!isCountry(ship_to_country) || isEmbargoed(ship_to_country)) {
    throw new AliExpressRefusal('ITEM_NOT_ALLOWED', 'this item is not allowed to this country');
  }
  const offers = offersOf(product, shelf);
  const onSale = offers.filter(({ isOnSale }) => isOnSale);
  const ship = { country: ship_to_country, currency: servedCurrency(parameters.target_currency) };
  return {
    rsp_code: 200,
    rsp_msg: 'Call succeeds',
    request_id: requestId(),
    result: {
      ae_item_base_info_dto: {
        product_id: numberId(product.productId),
        subject: product.title,
        category_id: 13,
        product_status_type: onSale.length > 0 ? 'onSelling' : 'offline',
        // The seller's own currency, which no price here is in.
        currency_code: 'CNY',
        detail: `<p>${product.title}</p>`,
        evaluation_count: '210',
        avg_evaluation_rating: '4.7',
        sales_count: '5000+',
      },
      ae_item_sku_info_dtos: new WireList(
        'ae_item_sku_info_d_t_o',
        (onSale.length > 0 ? onSale : offers).map((offer) => skuBody(product, offer, ship)),
      ),
      ae_multimedia_info_dto: {
        image_urls: imageOf(product),
        ae_video_dtos: new WireList('ae_video_d_t_o', []),
      },
      ae_item_properties: new WireList('ae_item_property', [
        { attr_name_id: 219, attr_name: 'Material', attr_value_id: 1, attr_value: 'Mixed' },
      ]),
      package_info_dto: {
        package_length: 12,
        package_width: 9,
        package_height: 6,
        gross_weight: (product.weightGrams / 1_000).toFixed(3),
        product_unit: 100_000_015,
      },
      logistics_info_dto: { delivery_time: 7, ship_to_country },
      ae_store_info: {
        store_id: Number(product.store.id),
        store_name: product.store.name,
        shipping_speed_rating: '4.8',
        communication_rating: '4.7',
        item_as_described_rating: '4.7',
      },
      product_id_converter_result: {
        main_product_id: numberId(product.productId),
        sub_product_id: `{"US":${product.usProductId}}`,
      },
    },
  };
}
