import type { Settings } from '../../contracts/settings.ts';
import {
  ADD_TAGS,
  AddTagsAnswer,
  ORDER_NOTE,
  OrderNoteAnswer,
  UPDATE_NOTE,
  UpdateNoteAnswer,
} from './order-operations.ts';
import type { Ask } from './read-work.ts';
import type { ShownParcel } from './show-progress.ts';
import { assertTaken } from './user-errors.ts';

/** Shopify's own limit for the text of a note. */
const NOTE_LIMIT = 5_000;

const lineFor = ({ trackingNumber, carrier, supplier, supplierReference }: ShownParcel): string => {
  const bought = supplierReference === null ? '' : `, ${supplier} order ${supplierReference}`;
  return `Order Manager: parcel ${trackingNumber}${carrier === null ? '' : ` by ${carrier}`}${bought}`;
};

/** Appends to what people wrote; a line that stands there is not written again. */
async function addNote(ask: Ask, orderId: string, line: string): Promise<void> {
  const { order } = await ask(ORDER_NOTE, { orderId }, OrderNoteAnswer);
  if (order === null || order.note?.split('\n').includes(line)) return;
  const note = order.note === null || order.note === '' ? line : `${order.note}\n${line}`;
  if (note.length > NOTE_LIMIT) return;
  const answer = await ask(UPDATE_NOTE, { input: { id: orderId, note } }, UpdateNoteAnswer);
  assertTaken('note', answer.orderUpdate);
}

/** Says on the shop's order what we did, as far as the settings want it. Repeats change nothing. */
export async function markOrder(
  ask: Ask,
  settings: Settings,
  orderId: string,
  parcel: ShownParcel,
): Promise<void> {
  if (settings.SHOPIFY_ORDER_TAGS) {
    const tags = ['order-manager', ...(parcel.supplier === null ? [] : [`order-manager:${parcel.supplier}`])];
    const answer = await ask(ADD_TAGS, { orderId, tags }, AddTagsAnswer);
    assertTaken('tags', answer.tagsAdd);
  }
  if (settings.SHOPIFY_ORDER_NOTES) await addNote(ask, orderId, lineFor(parcel));
}
