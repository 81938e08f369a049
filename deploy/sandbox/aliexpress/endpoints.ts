import { parseExactJson } from '../exact-json.ts';
import type { LiveSettings } from '../settings.ts';
import type { Shelf } from '../shelf.ts';
import { freightBody } from './freight.ts';
import { orderBody, trackingBody } from './order-answers.ts';
import type { AliExpressOrders } from './orders.ts';
import type { Parameters } from './parameters.ts';
import { productBody } from './product.ts';
import { AliExpressRefusal } from './refusal.ts';
import { searchBody } from './search.ts';

/** One business method. Bodies are what stands below the `…_response` name. */
export interface Endpoint {
  /** The name for faults and for the ledger's counts. */
  readonly operation: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** The name above the answer. */
  answerName(): string;
  /** Null: nothing, without an error. Throws AliExpressRefusal. */
  answer(parameters: Parameters): object | null;
  /** How this method says no inside a normal answer. */
  refused(refusal: AliExpressRefusal): object;
}

function jsonOf(parameters: Parameters, name: string): unknown {
  try {
    return parseExactJson(parameters[name] ?? '');
  } catch {
    throw new AliExpressRefusal('InvalidParameter', `The parameter ${name} is not valid JSON`);
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : null;

/** What the real one says about an order that is not there, and about one of somebody else. */
const notYours = (): AliExpressRefusal =>
  new AliExpressRefusal('isv.insufficient-permission', 'the order does not belong to this account');

/** Every business method that this platform plays, by its API name. */
export function createEndpoints({
  orders,
  settings,
  shelf,
}: {
  orders: AliExpressOrders;
  settings: LiveSettings;
  shelf: Shelf;
}): ReadonlyMap<string, Endpoint> {
  const underscored = (name: string): string => `${name.replaceAll('.', '_')}_response`;
  const isRenamed = (): boolean => settings.current().aliexpress.orderAnswerName === 'renamed';
  const endpoints: Record<string, Omit<Endpoint, 'answerName'>> = {
    'aliexpress.ds.text.search': {
      operation: 'search',
      required: ['keyWord', 'local', 'countryCode', 'currency'],
      optional: ['pageSize', 'pageIndex', 'categoryId', 'selectionName', 'sortBy', 'searchExtend'],
      answer: (parameters) => searchBody(parameters, shelf),
      refused: ({ code, message }) => ({ code, msg: message }),
    },
    'aliexpress.ds.product.get': {
      operation: 'product',
      required: ['product_id', 'ship_to_country'],
      optional: [
        'target_currency',
        'target_language',
        'remove_personal_benefit',
        'biz_model',
        'province_code',
        'city_code',
      ],
      answer: (parameters) => productBody(parameters, shelf),
      // Which number the real one gives is not known: only that it is not 200.
      refused: ({ message }) => ({ rsp_code: 404, rsp_msg: message }),
    },
    'aliexpress.ds.freight.query': {
      operation: 'freight',
      required: ['queryDeliveryReq'],
      optional: [],
      answer: (parameters) => freightBody(jsonOf(parameters, 'queryDeliveryReq'), shelf),
      refused: ({ code, message }) => ({ result: { success: false, code, msg: message } }),
    },
    'aliexpress.ds.order.create': {
      operation: 'createOrder',
      required: ['param_place_order_request4_open_api_d_t_o'],
      optional: ['ds_extend_request'],
      answer: (parameters) => orders.create(parameters),
      refused: ({ code, message }) => ({
        result: { is_success: false, error_code: code, error_msg: message },
      }),
    },
    'aliexpress.trade.ds.order.get': {
      operation: 'getOrder',
      required: ['single_order_query'],
      optional: [],
      answer(parameters) {
        const orderId = field(jsonOf(parameters, 'single_order_query'), 'order_id');
        if (orderId == null) return null;
        const order = orders.visible(String(orderId));
        if (order === undefined) throw notYours();
        return orderBody(order, Date.now(), isRenamed() ? 'ae' : 'aeop');
      },
      refused: ({ code, message }) => ({ rsp_code: code, rsp_msg: message }),
    },
    'aliexpress.ds.order.tracking.get': {
      operation: 'tracking',
      required: ['ae_order_id', 'language'],
      optional: [],
      answer({ ae_order_id = '' }) {
        const order = orders.visible(ae_order_id);
        const body = order === undefined ? null : trackingBody(order, Date.now());
        if (body === null) throw new AliExpressRefusal('1001', 'tracking data not found');
        return body;
      },
      refused: ({ code, message }) => ({ result: { ret: false, code, msg: message } }),
    },
  };
  return new Map(
    Object.entries(endpoints).map(([name, endpoint]) => [
      name,
      {
        ...endpoint,
        operation: `aliexpress.${endpoint.operation}`,
        answerName: () =>
          endpoint.operation === 'getOrder' && isRenamed()
            ? 'aliexpress_ds_trade_order_get_response'
            : underscored(name),
      },
    ]),
  );
}
