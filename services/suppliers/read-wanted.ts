import { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import { MappingCandidate } from '../../contracts/resources/product-mapping.ts';
import type { OrderContext } from '../../machines/order-units.ts';
import type { Sql } from '../store/store.ts';
import { readAcceptances } from './acceptances.ts';
import type { Wanted, WantedLine } from './plan-sourcing.ts';
import { readRecipient } from './recipient.ts';

interface LineRow {
  readonly lineId: string;
  readonly variantId: string | null;
  readonly sku: string | null;
  readonly unitPriceMinor: number;
  readonly candidates: unknown;
}

/** As they were stored: what a newer contract adds has a default. */
const StoredCandidates = z.array(MappingCandidate).nullable();

/** Units of each line that nobody has bought, held ones too. */
export const waitingUnits = ({ lines }: OrderContext): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(lines)
      .map(([lineId, { unallocated, held }]): [string, number] => [lineId, unallocated + held])
      .filter(([, units]) => units > 0),
  );

/**
 * An order with all that planning has to know of it.
 * @param unitsOf which units of which lines are wanted.
 * @throws AppError `order_not_found`.
 */
export async function readWanted(
  sql: Sql,
  orderId: string,
  unitsOf: (context: OrderContext) => ReadonlyMap<string, number>,
): Promise<Wanted> {
  const [order] = await sql.query<{ currency: string; totalMinor: number; context: OrderContext }>(
    `select currency, total_minor::float8 as "totalMinor", context from orders where id = $1`,
    [orderId],
  );
  if (order === undefined)
    throw new AppError('order_not_found', `there is no order ${orderId}`, { retryable: false });
  const rows = await sql.query<LineRow>(
    `select l.line_id as "lineId", l.variant_id as "variantId", l.sku,
            l.unit_price_minor::float8 as "unitPriceMinor", m.candidates
       from order_lines l left join product_mappings m on m.variant_id = l.variant_id
      where l.order_id = $1 order by l.position, l.line_id`,
    [orderId],
  );
  const { currency, totalMinor, context } = order;
  const wanted = unitsOf(context);
  const recipient = await readRecipient(sql, orderId);
  return {
    lines: rows.flatMap((row): WantedLine[] => {
      const units = wanted.get(row.lineId);
      if (units === undefined) return [];
      return [{ ...row, units, candidates: StoredCandidates.parse(row.candidates) ?? [] }];
    }),
    destination: recipient,
    recipient: recipient ?? null,
    sale: {
      currency,
      totalMinor,
      listMinor: rows.reduce(
        (sum, { lineId, unitPriceMinor }) => sum + unitPriceMinor * (context.lines[lineId]?.ordered ?? 0),
        0,
      ),
    },
    acceptances: await readAcceptances(sql, orderId),
  };
}
