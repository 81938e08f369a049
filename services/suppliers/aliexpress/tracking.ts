import type { ObservedParcel } from '../../../contracts/events/supplier-order-observed.ts';
import { trackingKeyOf } from '../../../contracts/ids.ts';
import type { ParcelStateName } from '../../../contracts/vocabulary.ts';
import type { PlacedLine } from '../adapter.ts';
import type { CallPriority } from '../adapter-parts.ts';
import { parcelStateOfWords, webUrl } from '../parcel-words.ts';
import { SupplierError } from '../supplier-error.ts';
import type { AliExpressClient } from './client.ts';
import { packedInEach } from './packed-pieces.ts';
import { type OrderRow, TrackingBody, type TrackingDetail, type TrackingNode } from './responses.ts';

/**
 * What the carriers say about the parcels of one order; nothing while the order has none. Throws SupplierError when
 * asking again can help: a refusal must not hide the order's own state.
 */
export async function readTracking(
  client: AliExpressClient,
  orderId: string,
  priority: CallPriority,
  signal: AbortSignal,
): Promise<readonly TrackingDetail[]> {
  const parameters = { ae_order_id: orderId, language: 'en_US' };
  const method = 'aliexpress.ds.order.tracking.get';
  try {
    const request = { method, parameters, kind: 'read', priority } as const;
    const { result } = await client.call(request, TrackingBody, signal);
    return result?.data?.tracking_detail_line_list ?? [];
  } catch (error) {
    if (!(error instanceof SupplierError) || error.retryable || error.failureClass === 'auth') throw error;
    return [];
  }
}

/** Newest first, also where the times say that they came in another order. */
const newestFirst = (nodes: readonly TrackingNode[]): TrackingNode[] =>
  nodes.toSorted((a, b) => (b.time_stamp ?? 0) - (a.time_stamp ?? 0));

/** The carrier has it, and that is all. */
const FIRST_SCAN =
  /^(package |parcel |shipment |item )?(was |has been )?accepted( by (the )?(carrier|courier))?$/i;

const stateOfWords = (words: string): ParcelStateName | null =>
  FIRST_SCAN.test(words) ? 'first_scan' : parcelStateOfWords(words);

/** The newest node with words that we know decides; nodes without any are a carrier's sign all the same. */
export function stateOfNodes(nodes: readonly TrackingNode[]): ParcelStateName {
  for (const { tracking_name, tracking_detail_desc } of newestFirst(nodes)) {
    const state = stateOfWords(tracking_name ?? tracking_detail_desc ?? '');
    if (state !== null) return state;
  }
  return nodes.length > 0 ? 'first_scan' : 'announced';
}

/** Cainiao's own numbers, which only its public page knows. */
const CAINIAO = /^(AP|LP)\w+$/;

/** Null where the carrier's address leads to its front door only. */
function trackingUrlOf(trackingNumber: string, carrierUrl: string | null): string | null {
  const url = webUrl(carrierUrl);
  if (url?.includes(trackingNumber)) return url;
  const page = 'https://global.cainiao.com/newDetail.htm?mailNoList=';
  return CAINIAO.test(trackingNumber) ? page + trackingNumber : null;
}

/** Of each article what the first of them names: an order has it once, so that it is a repetition in the others. */
function itemsTogether(details: readonly TrackingDetail[]): TrackingDetail['package_item_list'] {
  const seen = new Set<string>();
  return details.flatMap(({ package_item_list: items }) => {
    const fresh = items.filter(({ sku_id }) => sku_id === null || !seen.has(sku_id));
    for (const { sku_id } of items) if (sku_id !== null) seen.add(sku_id);
    return fresh;
  });
}

/** A number may stand there once for each article of the order: it is one box all the same. */
const boxesOf = (details: readonly TrackingDetail[]): TrackingDetail[] =>
  [...Map.groupBy(details, ({ mail_no }) => trackingKeyOf(mail_no ?? '')).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined || same.length === 1 || first.mail_no === null) return same;
    return {
      ...first,
      carrier_name: same.find(({ carrier_name }) => carrier_name !== null)?.carrier_name ?? null,
      package_item_list: itemsTogether(same),
      detail_node_list: same.flatMap(({ detail_node_list }) => detail_node_list),
    };
  });

/** Whether what carriers name leaves nothing of the order for another parcel. */
function isAllPacked({ child_order_list: children }: OrderRow, details: readonly TrackingDetail[]): boolean {
  const ordered = children.reduce((sum, { product_count }) => sum + (product_count ?? 0), 0);
  const named = details.filter(({ mail_no }) => mail_no !== null);
  const packed = named.flatMap(({ package_item_list }) => package_item_list);
  return ordered > 0 && packed.reduce((sum, { quantity }) => sum + (quantity ?? 0), 0) >= ordered;
}

/** What is in each that has a number, in the order of the numbers, so that every look tells the same. */
function contentsOf(
  details: readonly TrackingDetail[],
  lines: readonly PlacedLine[],
): ReadonlyMap<TrackingDetail, Record<string, number> | null> {
  const numbered = details
    .filter(({ mail_no }) => mail_no !== null)
    .toSorted((a, b) => ((a.mail_no ?? '') < (b.mail_no ?? '') ? -1 : 1));
  const packed = packedInEach(
    numbered.map(({ package_item_list: items }) => items),
    lines,
  );
  return new Map(numbered.map((detail, index) => [detail, packed[index] ?? null]));
}

/**
 * The parcels of one order: those with the carrier's word, and those that only have a number yet. Where all of it is in
 * the former, another number is their older name.
 * @param lines of the purchase, to tell what is in each; empty where they are not known.
 */
export function toParcels(
  row: OrderRow,
  shown: readonly TrackingDetail[],
  lines: readonly PlacedLine[],
): ObservedParcel[] {
  const details = boxesOf(shown);
  const parcels = new Map<string, ObservedParcel>();
  const isTold = new Set(details.map(({ mail_no }) => trackingKeyOf(mail_no ?? '')));
  const isOld = isAllPacked(row, details);
  const contents = contentsOf(details, lines);
  for (const { logistics_no: trackingNumber, logistics_service: carrier } of row.logistics_info_list) {
    if (trackingNumber === null) continue;
    const key = trackingKeyOf(trackingNumber);
    if (isOld && !isTold.has(key)) continue;
    const trackingUrl = trackingUrlOf(trackingNumber, null);
    const known = { trackingNumber, lastMileTrackingNumber: null, carrier, trackingUrl };
    parcels.set(key, { ...known, state: 'announced' });
  }
  for (const detail of details) {
    const { mail_no: trackingNumber } = detail;
    if (trackingNumber === null) continue;
    const units = contents.get(detail) ?? null;
    const key = trackingKeyOf(trackingNumber);
    parcels.set(key, {
      trackingNumber,
      lastMileTrackingNumber: null,
      carrier: detail.carrier_name ?? detail.cp_name ?? parcels.get(key)?.carrier ?? null,
      trackingUrl: trackingUrlOf(trackingNumber, detail.cp_website_url),
      state: stateOfNodes(detail.detail_node_list),
      ...(units === null ? {} : { units }),
    });
  }
  return [...parcels.values()];
}
