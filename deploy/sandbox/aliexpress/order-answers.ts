import { priceIn } from './money.ts';
import { type AliExpressOrder, amountOf, endOf, sentParcels, statusOf } from './order.ts';
import { numberId, textId, WireList } from './wire.ts';

const PACIFIC_OFFSET_MS = -8 * 3_600_000;

/** Without a zone, as the real one writes it. */
const clockTime = (at: number): string =>
  new Date(at + PACIFIC_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

const usd = (minor: number): object => ({ amount: priceIn('USD', minor), currency_code: 'USD' });

function logisticsStatusOf(order: AliExpressOrder, now: number): string {
  switch (statusOf(order, now)) {
    case 'PLACE_ORDER_SUCCESS':
      return 'NO_LOGISTICS';
    case 'RISK_CONTROL':
    case 'WAIT_SELLER_SEND_GOODS':
      return 'WAIT_SELLER_SEND_GOODS';
    case 'SELLER_PART_SEND_GOODS':
      return 'SELLER_SEND_PART_GOODS';
    case 'WAIT_BUYER_ACCEPT_GOODS':
      return 'SELLER_SEND_GOODS';
    case 'FINISH':
      return endOf(order, now) === null ? 'BUYER_ACCEPT_GOODS' : 'NO_LOGISTICS';
  }
}

/** The answer to an order query; the lists inside are named in one of the two ways that were seen. */
export function orderBody(order: AliExpressOrder, now: number, listPrefix: 'aeop' | 'ae'): object {
  const end = endOf(order, now);
  const paidAt = order.payments[0];
  const children = order.lines.map((line) => ({
    product_id: numberId(line.productId),
    sku_id: textId(line.skuId),
    product_name: line.title,
    product_count: line.quantity,
    product_price: usd(line.priceMinor),
    shipping_fee: usd(line.shippingMinor),
    actual_fee: usd(line.priceMinor * line.quantity + line.shippingMinor + line.taxMinor),
    actual_tax_fee: usd(line.taxMinor),
    end_reason: end?.reason ?? null,
    end_reason_desc: end?.description ?? null,
  }));
  const logistics = sentParcels(order, now).map(({ number }) => ({
    logistics_no: number,
    logistics_service: order.lines[0]?.deliveryCode,
  }));
  return {
    rsp_code: '200',
    rsp_msg: 'Call succeeds',
    result: {
      gmt_create: clockTime(order.createdAt),
      order_status: order.shownStatus ?? statusOf(order, now),
      logistics_status: logisticsStatusOf(order, now),
      order_amount: usd(amountOf(order)),
      user_order_amount: { amount: priceIn('EUR', amountOf(order)), currency_code: 'EUR' },
      order_paidtime_string: paidAt === undefined ? undefined : clockTime(paidAt),
      pay_timeout_second: Math.ceil(order.payTimeoutMs / 1_000),
      child_order_list: new WireList(`${listPrefix}_child_order_info`, children),
      logistics_info_list: new WireList(`${listPrefix}_order_logistics_info`, logistics),
      store_info: {
        store_id: Number(order.store.id),
        store_name: order.store.name,
        store_url: `https://www.aliexpress.com/store/${order.store.id}`,
      },
    },
  };
}

/** The answer to a tracking query, newest scan first; null while nothing was sent. */
export function trackingBody(order: AliExpressOrder, now: number): object | null {
  const { journey } = order;
  const sent = sentParcels(order, now);
  if (journey === null || sent.length === 0) return null;
  const details = sent.map(({ number, sentAt, items }) => {
    const scans = [
      { at: journey.deliveredAt, name: 'Delivered', text: 'Your package has been delivered' },
      { at: journey.inTransitAt, name: 'Departed from origin', text: 'Left the country of departure' },
      { at: sentAt, name: 'Accepted by carrier', text: 'The carrier has received the package' },
    ];
    const contents = items.flatMap(({ skuId, quantity }) => {
      const line = order.lines.find((candidate) => candidate.skuId === skuId);
      if (line === undefined) return [];
      return {
        item_id: numberId(line.productId),
        sku_id: textId(skuId),
        sku_desc: line.description,
        quantity,
        item_title: line.title,
      };
    });
    return {
      mail_no: number,
      carrier_name: 'Cainiao',
      cp_name: 'Sandbox Post',
      cp_website_url: 'https://track.example/',
      eta_time_stamps: journey.deliveredAt,
      package_item_list: contents,
      detail_node_list: new WireList(
        'detail_node',
        scans
          .filter(({ at }) => now >= at)
          .map(({ at, name, text }) => ({ time_stamp: at, tracking_name: name, tracking_detail_desc: text })),
      ),
    };
  });
  return {
    result: {
      ret: true,
      code: '0',
      msg: 'success',
      data: { tracking_detail_line_list: new WireList('tracking_detail', details) },
    },
  };
}
