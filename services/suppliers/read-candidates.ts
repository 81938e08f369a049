import { type MappingCandidate, StoredCandidates } from '../../contracts/resources/product-mapping.ts';
import type { Sql } from '../store/store.ts';

/** Every candidate that the mappings name for the lines of an order. */
export async function readCandidates(
  sql: Sql,
  orderId: string,
): Promise<{ readonly lineId: string; readonly candidate: MappingCandidate }[]> {
  const rows = await sql.query<{ readonly lineId: string; readonly candidates: unknown }>(
    `select l.line_id as "lineId", m.candidates
       from order_lines l join product_mappings m on m.variant_id = l.variant_id
      where l.order_id = $1 order by l.position, l.line_id`,
    [orderId],
  );
  return rows.flatMap(({ lineId, candidates }) =>
    StoredCandidates.parse(candidates ?? []).map((candidate) => ({ lineId, candidate })),
  );
}

export const delivers = ({ countries }: MappingCandidate, countryCode: string): boolean =>
  countries.length === 0 || countries.includes(countryCode);
