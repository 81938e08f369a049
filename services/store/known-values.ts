import { z } from 'zod';
import type { Sql } from './store.ts';

/** Fields of the shop's bodies that say who somebody is, wherever a person or an address stands. */
const NAMING = new Set(['email', 'contact_email', 'phone', 'name', 'company', 'address1', 'address2']);
const PERSONS = new Set(['customer', 'shipping_address', 'billing_address', 'default_address']);

const Body = z.record(z.string(), z.unknown());

/** Texts that name the person in a part of a body. */
function namesIn(part: unknown): string[] {
  const fields = Body.safeParse(part);
  if (!fields.success) return [];
  return Object.entries(fields.data).flatMap(([name, value]) => {
    if (PERSONS.has(name)) return namesIn(value);
    return NAMING.has(name) && typeof value === 'string' ? [value] : [];
  });
}

function namesInBody(text: string): string[] {
  try {
    // An order's own name is its number.
    return namesIn({ ...Body.parse(JSON.parse(text)), name: null });
  } catch {
    return [];
  }
}

/** A telephone number is also looked for as its bare digits. */
const digitsOf = (phone: string): string[] => {
  const digits = phone.replaceAll(/\D/g, '');
  return digits.length >= 8 ? [digits] : [];
};

interface Known {
  readonly orderId: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly taxId: string | null;
  readonly birthday: string | null;
  readonly nationalAddress: string | null;
  readonly address: Record<string, string> | null;
}

/**
 * What is known of the customers of these orders, by order, and tells them from others: no towns and no countries, and
 * no first names, which are in the titles of articles too.
 */
export async function knownValues(sql: Sql, orderIds: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await sql.query<Known>(
    `select order_id as "orderId", name, email, phone, tax_id as "taxId", birthday,
            national_address as "nationalAddress", shipping_address as address
       from customer_details where order_id = any($1::text[])`,
    [orderIds],
  );
  const bodies = await sql.query<{ orderId: string; body: string }>(
    `select order_id as "orderId", body from webhooks where order_id = any($1::text[]) and body <> '{}'`,
    [orderIds],
  );
  const values = new Map<string, string[]>();
  const add = (orderId: string, found: readonly (string | null)[]): void => {
    const fresh = found.map((value) => value?.trim() ?? '').filter((value) => value !== '');
    values.set(orderId, [...new Set([...(values.get(orderId) ?? []), ...fresh])]);
  };
  for (const { orderId, name, email, phone, taxId, birthday, nationalAddress, address } of rows)
    add(orderId, [
      name,
      email,
      phone,
      ...digitsOf(phone ?? ''),
      taxId,
      birthday,
      nationalAddress,
      ...namesIn(address),
    ]);
  for (const { orderId, body } of bodies) add(orderId, namesInBody(body));
  return values;
}
