import type { ShippingAddress } from '../contracts/resources/order.ts';
import type { PostedCustoms } from '../contracts/resources/posted-customs.ts';
import { mailAddressed } from '../services/store/notifications.ts';
import type { Sql } from '../services/store/store.ts';
import { conflict } from './problem.ts';

export interface CustomerChange {
  readonly address?: ShippingAddress | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  /** The number is for the parcel, before the one of the address; undefined: as it was. */
  readonly isPhoneOurs?: boolean | undefined;
  readonly customs?: PostedCustoms | undefined;
  readonly note?: string | undefined;
}

export const customerErased = (): Error =>
  conflict('the customer of this order was erased: nothing about them is kept any more');

const IS_ABROAD = "c.shipping_address ->> 'countryCode' <> excluded.shipping_address ->> 'countryCode'";
/** What was for another country goes. */
const CUSTOMS = ['tax_id', 'birthday', 'national_address']
  .map(
    (column) =>
      `${column} = case when ${IS_ABROAD} then excluded.${column} else coalesce(excluded.${column}, c.${column}) end`,
  )
  .join(', ');

/**
 * Writes what was put in by the API. Address, contact and customs stay as they are put, whatever the shop says later.
 * @throws 409 when the customer was erased: nothing about them is taken again.
 */
export async function putCustomer(sql: Sql, orderId: string, change: CustomerChange): Promise<void> {
  const { address, email, phone, isPhoneOurs, customs, note } = change;
  const rows = await sql.run(
    `insert into customer_details as c (order_id, source_updated_at, email, phone, shipping_address, note,
                                        tax_id, birthday, national_address,
                                        is_address_ours, is_contact_ours, is_customs_ours, is_phone_ours)
     values ($1, now(), $2, $3, $4::jsonb, $5, $6, $7, $8,
             $4::jsonb is not null, coalesce($2, $3) is not null, coalesce($6, $7, $8) is not null,
             coalesce($9, false))
     on conflict (order_id) do update set
       email = coalesce(excluded.email, c.email), phone = coalesce(excluded.phone, c.phone),
       shipping_address = coalesce(excluded.shipping_address, c.shipping_address),
       note = coalesce(excluded.note, c.note),
       ${CUSTOMS},
       is_address_ours = c.is_address_ours or excluded.is_address_ours,
       is_contact_ours = c.is_contact_ours or excluded.is_contact_ours,
       is_customs_ours = excluded.is_customs_ours or c.is_customs_ours and (${IS_ABROAD}) is not true,
       is_phone_ours = coalesce($9, c.is_phone_ours)
     where c.redacted_at is null`,
    [
      orderId,
      email ?? null,
      phone ?? null,
      address === undefined ? null : JSON.stringify(address),
      note ?? null,
      customs?.tax_id ?? null,
      customs?.birthday ?? null,
      customs?.national_address ?? null,
      isPhoneOurs ?? null,
    ],
  );
  if (rows === 0) throw customerErased();
  if (email !== undefined) await mailAddressed(sql, [orderId]);
}

/** Notes something more of an order that the caller has locked. @throws 409 as `putCustomer` does. */
export async function addNote(sql: Sql, orderId: string, note: string): Promise<void> {
  const [row] = await sql.query<{ note: string | null }>(
    'select note from customer_details where order_id = $1',
    [orderId],
  );
  await putCustomer(sql, orderId, { note: row?.note ? `${row.note}\n${note}` : note });
}
