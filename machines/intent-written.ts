/**
 * The one move that is not the order host's: the purchase intent moves its draft to `placing` in its own transaction,
 * and writes this into the timeline there.
 */
export const INTENT_WRITTEN = 'supplier_order.intent_written';
