import type { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { Evidence, FailureClass } from '../../contracts/vocabulary.ts';
import { literals } from '../store/rows.ts';
import type { Sql } from '../store/store.ts';
import type { PurchaseFacts } from './purchase-facts.ts';
import { delivers, readCandidates } from './read-candidates.ts';

/** What a supplier did not sell when it was bought for a line, as the mapping names it. */
export type RefusedArticle = Pick<
  MappingCandidate,
  'supplier' | 'supplierProductId' | 'supplierVariantId' | 'shipsFrom'
> & {
  /** What was refused was to send it so. */
  readonly refusedMethod?: string | null;
};

export interface RefusedForLine extends RefusedArticle {
  readonly supplierOrderId: string;
  readonly lineId: string;
}

/** A clear no about the article itself, and not about who gets it, what it costs or when it was asked for. */
const NOT_THERE = ['unavailable', 'not_shippable', 'not_found'] satisfies FailureClass[];

/** What became of a call, as far as it says whether anybody may be asked for the same again. */
export interface CallRefusal {
  readonly failureClass: FailureClass;
  readonly evidence: Evidence;
}

const isNotThere = ({ failureClass }: CallRefusal): boolean => NOT_THERE.some((one) => one === failureClass);

/** What the supplier had quoted holds no more: another quote may. */
const isQuoteOver = ({ evidence }: CallRefusal): boolean => evidence.quoteAgain === true;
const QUOTE_OVER = `i.evidence ->> 'quoteAgain' = 'true'`;

/** SQL for what suppliers refused to sell for the order `o`: a JSON array of `RefusedForLine`. */
export const REFUSED = `(select coalesce(json_agg(json_build_object('supplierOrderId', s.id, 'lineId', r.line_id, 'supplier', s.supplier,
                     'supplierProductId', r.supplier_product_id,
                     'supplierVariantId', coalesce(r.mapped_variant_id, r.supplier_variant_id),
                     'shipsFrom', s.ships_from, 'refusedMethod', case when ${QUOTE_OVER}
                       and i.evidence ->> 'failureClass' = 'not_shippable' then s.shipping_method end)), '[]')
   from supplier_orders s
   join purchase_intents i on i.supplier_order_id = s.id and i.kind = 'create'
   join supplier_order_lines r on r.supplier_order_id = s.id
  where s.order_id = o.id and i.state = 'refused'
    and (${QUOTE_OVER} or i.evidence ->> 'failureClass' in (${literals(NOT_THERE)})))`;

export const isAmong = (refused: readonly RefusedArticle[], article: RefusedArticle): boolean =>
  refused.some(
    ({ supplier, supplierProductId, supplierVariantId, shipsFrom }) =>
      supplier === article.supplier &&
      shipsFrom === article.shipsFrom &&
      supplierProductId === article.supplierProductId &&
      supplierVariantId === article.supplierVariantId,
  );

/** What is bought for each line, as the mapping names it. */
export const boughtOf = ({ row, lines }: PurchaseFacts): readonly RefusedForLine[] =>
  lines.map(({ lineId, supplierProductId, mappedVariantId: supplierVariantId }) => {
    const { id: supplierOrderId, supplier, shipsFrom } = row;
    return { supplierOrderId, lineId, supplier, supplierProductId, supplierVariantId, shipsFrom };
  });

/**
 * Whether what was refused may be looked for again without asking anybody: its mapping has a candidate that no purchase of
 * this order was refused at yet, or the supplier has only dropped its quote, and none of its articles was refused before,
 * so that it comes to an end. Not what a person chose, nor after an attempt whose outcome was in doubt: that may still turn
 * up.
 */
export async function isReplaceable(sql: Sql, facts: PurchaseFacts, refusal: CallRefusal): Promise<boolean> {
  const { row, lines, recipient } = facts;
  const isOver = isQuoteOver(refusal);
  if (!(isOver || isNotThere(refusal)) || recipient === undefined || lines.some(({ isByHand }) => isByHand))
    return false;
  const [known] = await sql.query<{ isFirst: boolean; refused: readonly RefusedForLine[] }>(
    `select i.attempt - i.deferrals = 1 as "isFirst", ${REFUSED} as refused
       from orders o join purchase_intents i on i.supplier_order_id = $2 and i.kind = 'create'
      where o.id = $1`,
    [row.orderId, row.id],
  );
  if (known?.isFirst !== true) return false;
  const now = boughtOf(facts);
  // Said again, its own refusal is in the ledger.
  const earlier = known.refused.filter(({ supplierOrderId }) => supplierOrderId !== row.id);
  const before = ({ lineId }: RefusedForLine) => earlier.filter((one) => one.lineId === lineId);
  if (now.some((article) => isAmong(before(article), article))) return false;
  if (isOver) return true;
  const tried = [...earlier, ...now];
  const candidates = await readCandidates(sql, row.orderId);
  return candidates.some(
    ({ lineId, candidate }) =>
      now.some((article) => article.lineId === lineId) &&
      delivers(candidate, recipient.countryCode) &&
      !isAmong(
        tried.filter((article) => article.lineId === lineId),
        candidate,
      ),
  );
}
