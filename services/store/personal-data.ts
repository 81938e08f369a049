/**
 * What may stand in a column of text or JSON:
 * - `ours`: ids, codes, numbers, states and words of our own; of a customer at most pseudonyms that lead to nobody here;
 * - `unbound`: free text of an operator or a supplier that belongs to no order: not to hold a customer, searched all the same;
 * - `person`: who somebody is; an erasure leaves `erasedTo` there;
 * - `quote`: an answer of a supplier, the shop or a mail server that may quote a person; an erasure takes what is known
 *   of the person out of the whole of it (`text`, `evidence`), or out of the evidence in it (`message`).
 */
export type Holding =
  | 'ours'
  | 'unbound'
  | { readonly is: 'person'; readonly erasedTo: 'null' | "''" | "'{}'" }
  | { readonly is: 'quote'; readonly of: 'text' | 'evidence' | 'message'; readonly type: 'text' | 'json' };

export interface TableData {
  /** Condition on the rows that belong to the orders of `$1::text[]`; null where none does. */
  readonly ofOrders: string | null;
  /** Every column of text or JSON. Numbers, instants and flags name nobody. */
  readonly columns: Readonly<Record<string, Holding>>;
}

const OF_ORDERS = 'order_id = any($1::text[])';
const OF_PURCHASES = 'supplier_order_id in (select id from supplier_orders where order_id = any($1::text[]))';

const PERSON = { is: 'person', erasedTo: 'null' } as const;
const NOTE = { is: 'person', erasedTo: "''" } as const;
const BODY = { is: 'person', erasedTo: "'{}'" } as const;
const EVIDENCE = { is: 'quote', of: 'evidence', type: 'json' } as const;
const MESSAGE = { is: 'quote', of: 'message', type: 'json' } as const;
/** Perhaps no JSON at all: that may be why it was set aside. */
const LETTER = { is: 'quote', of: 'message', type: 'text' } as const;
const TEXT = { is: 'quote', of: 'text', type: 'text' } as const;

const ours = <Name extends string>(...names: readonly Name[]): Record<Name, 'ours'> =>
  Object.fromEntries(names.map((name) => [name, 'ours'])) as Record<Name, 'ours'>;

/**
 * Where personal data can be: what is exported, erased and searched. A new column has to be named here before the tests
 * pass.
 */
export const PERSONAL_DATA: Readonly<Record<string, TableData>> = {
  // The books: number, amounts, states. The context counts units and knows no person.
  orders: {
    ofOrders: 'id = any($1::text[])',
    columns: ours('id', 'shop', 'shop_order_id', 'name', 'currency', 'placed_at', 'state', 'context'),
  },
  order_lines: {
    ofOrders: OF_ORDERS,
    columns: ours('order_id', 'line_id', 'variant_id', 'product_id', 'sku', 'title'),
  },
  customer_details: {
    ofOrders: OF_ORDERS,
    columns: {
      ...ours('order_id', 'total_currency'),
      customer_id: PERSON,
      name: PERSON,
      email: PERSON,
      phone: PERSON,
      locale: PERSON,
      tax_id: PERSON,
      birthday: PERSON,
      national_address: PERSON,
      shipping_address: PERSON,
      note: PERSON,
    },
  },
  holds: {
    ofOrders: OF_ORDERS,
    columns: { ...ours('id', 'order_id', 'reason', 'line_id', 'supplier_order_id'), evidence: EVIDENCE },
  },
  hold_notes: { ofOrders: OF_ORDERS, columns: { ...ours('hold_id', 'order_id'), note: NOTE } },
  unit_changes: { ofOrders: OF_ORDERS, columns: ours('order_id', 'line_id', 'message_id', 'cause') },
  // Told again by the audit: only the evidence, which decides nothing, may change.
  timeline: {
    ofOrders: OF_ORDERS,
    columns: {
      ...ours('order_id', 'message_id', 'type', 'from_state', 'to_state', 'supplier_order_id'),
      ...ours('supplier_from', 'supplier_to', 'actor', 'cause'),
      data: MESSAGE,
    },
  },
  supplier_orders: {
    ofOrders: OF_ORDERS,
    columns: {
      ...ours('id', 'order_id', 'supplier', 'state', 'context', 'shipping_method', 'ships_from'),
      ...ours('currency', 'supplier_reference', 'placed_as', 'observation', 'quoted_for'),
      note: PERSON,
    },
  },
  supplier_order_lines: {
    ofOrders: OF_PURCHASES,
    columns: {
      ...ours('supplier_order_id', 'line_id', 'supplier_product_id', 'supplier_variant_id'),
      ...ours('mapped_variant_id', 'properties'),
    },
  },
  // Tracking numbers stay: claims against supplier and carrier need them, and without an address they lead to nobody.
  parcels: {
    ofOrders: OF_PURCHASES,
    columns: {
      ...ours('id', 'order_id', 'supplier_order_id', 'state', 'tracking_number', 'carrier', 'tracking_url'),
      ...ours(
        'earlier_numbers',
        'last_mile_tracking_number',
        'units',
        'fulfillment_state',
        'fulfillment_doubt',
      ),
      ...ours('shop_fulfillment_id', 'shown_state', 'shown_last_mile', 'showing'),
    },
  },
  purchase_intents: {
    ofOrders: OF_PURCHASES,
    columns: {
      ...ours('supplier_order_id', 'kind', 'order_id', 'supplier', 'caller_ref', 'state', 'request_hash'),
      currency: 'ours',
      evidence: EVIDENCE,
    },
  },
  supplier_bills: { ofOrders: OF_PURCHASES, columns: ours('supplier_order_id', 'bill_id', 'currency') },
  // Mails are written when they are sent, to the address of that moment: neither text nor recipient is kept.
  notifications: {
    ofOrders: OF_ORDERS,
    columns: {
      ...ours('id', 'order_id', 'kind', 'parcel_id', 'about', 'bundle', 'also_tells', 'state'),
      evidence: EVIDENCE,
    },
  },
  webhooks: {
    ofOrders: OF_ORDERS,
    columns: {
      ...ours('source', 'delivery_id', 'event_id', 'topic', 'api_version', 'triggered_at', 'order_id'),
      body: BODY,
    },
  },
  dead_letters: {
    ofOrders: OF_ORDERS,
    columns: {
      ...ours('order_id', 'message_id', 'subject', 'state', 'kind', 'reason'),
      payload: LETTER,
      failure: TEXT,
    },
  },
  dead_letter_requests: {
    ofOrders: 'letter_id in (select id from dead_letters where order_id = any($1::text[]))',
    columns: { ...ours('id', 'action', 'by'), note: PERSON, data: PERSON },
  },
  timers: {
    ofOrders: OF_ORDERS,
    columns: ours('order_id', 'key', 'deadline', 'supplier_order_id', 'parcel_id', 'traceparent'),
  },
  shop_leases: { ofOrders: OF_ORDERS, columns: ours('order_id', 'owner') },
  shop_holds: { ofOrders: OF_ORDERS, columns: ours('order_id') },
  swept_orders: { ofOrders: OF_ORDERS, columns: ours('order_id', 'shop') },
  // What is said on the bus names nobody; evidence is cleaned before it is said. Kept word for word, most of it for a day.
  outbox: { ofOrders: null, columns: ours('message_id', 'subject', 'payload') },
  outbox_pending: { ofOrders: null, columns: ours('ids') },
  inbox: { ofOrders: null, columns: ours('message_id') },
  // Of a request only its hash; answers are receipts of ids and states.
  api_requests: { ofOrders: null, columns: ours('route', 'key', 'body_hash', 'answer') },
  privacy_requests: { ofOrders: null, columns: ours('shop', 'kind', 'order_ids', 'closed_by') },
  stray_supplier_orders: { ofOrders: null, columns: ours('supplier', 'reference', 'topic', 'found') },
  purchasing_pauses: { ofOrders: null, columns: { ...ours('scope', 'cause'), reason: 'unbound' } },
  product_mappings: { ofOrders: null, columns: ours('variant_id', 'sku', 'candidates') },
  supplier_accounts: {
    ofOrders: null,
    columns: {
      ...ours('supplier', 'access_token', 'access_expires_at', 'refresh_token', 'refresh_expires_at'),
      ...ours('account_id', 'key_fingerprint', 'turn_of', 'balance_currency', 'last_failure_class'),
    },
  },
  supplier_calls: { ofOrders: null, columns: ours('supplier', 'operation', 'outcome') },
  supplier_breakers: { ofOrders: null, columns: ours('copy', 'supplier', 'state') },
  shop_sweeps: { ofOrders: null, columns: ours('name') },
  gap_reports: { ofOrders: null, columns: ours('shop') },
  shop_status: { ofOrders: null, columns: { ...ours('shop', 'scopes', 'time_zone'), problems: 'unbound' } },
  shop_variants: { ofOrders: null, columns: ours('variant_id', 'product_id') },
  event_partitions: { ofOrders: null, columns: ours('owner', 'stream_created', 'halted') },
  copies: { ofOrders: null, columns: ours('id') },
  // Keys of people who work here.
  api_keys: { ofOrders: null, columns: { ...ours('id', 'digest', 'scope'), name: 'unbound' } },
};
