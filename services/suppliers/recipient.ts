import { evidenceWithout } from '../../contracts/redact.ts';
import type { ShippingAddress } from '../../contracts/resources/order.ts';
import type { Sql } from '../store/store.ts';
import { type Recipient, SupplierError } from './adapter.ts';

export interface CustomerRow {
  readonly email: string | null;
  readonly phone: string | null;
  readonly taxId: string | null;
  readonly birthday: string | null;
  readonly nationalAddress: string | null;
  readonly address: ShippingAddress | null;
}

/** Who gets the parcel; undefined when the order has no address to ship to. */
export async function readRecipient(sql: Sql, orderId: string): Promise<Recipient | undefined> {
  const [row] = await sql.query<CustomerRow>(
    `select email, phone, tax_id as "taxId", birthday, national_address as "nationalAddress", shipping_address as address
       from customer_details where order_id = $1`,
    [orderId],
  );
  return row === undefined ? undefined : toRecipient(row);
}

export function toRecipient(row: CustomerRow): Recipient | undefined {
  if (row.address === null) return undefined;
  const { name, company, address1, address2, city, province, zip, countryCode } = row.address;
  return {
    name,
    company,
    address1,
    address2,
    city,
    province,
    zip,
    countryCode,
    phone: row.address.phone || (row.phone ?? ''),
    email: row.email ?? '',
    taxId: row.taxId ?? '',
    ...(row.birthday === null ? {} : { birthday: row.birthday }),
    ...(row.nationalAddress === null ? {} : { nationalAddress: row.nationalAddress }),
  };
}

/** What names a person or leads to them. */
export const textsOf = (recipient: Recipient): string[] => {
  const {
    name,
    company,
    address1,
    address2,
    phone,
    email,
    taxId,
    birthday = '',
    nationalAddress = '',
  } = recipient;
  return [name, company, address1, address2, phone, email, taxId, birthday, nationalAddress];
};

/** A supplier may quote in its refusal what it was sent: evidence travels on the bus and into the log, without the person. */
export function withoutRecipient(error: SupplierError, recipient: Recipient): SupplierError {
  const evidence = evidenceWithout(error.evidence, textsOf(recipient));
  return new SupplierError(error.failureClass, error.message, evidence, error.cause);
}
