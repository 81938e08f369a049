import { evidenceWithout } from '../../contracts/redact.ts';
import type { ShippingAddress } from '../../contracts/resources/order.ts';
import type { Recipient } from './adapter.ts';
import { SupplierError } from './supplier-error.ts';

export interface CustomerRow {
  readonly email: string | null;
  readonly phone: string | null;
  /** Put in by hand, because the address's own is of no use. */
  readonly isPhoneOurs: boolean;
  readonly taxId: string | null;
  readonly birthday: string | null;
  readonly nationalAddress: string | null;
  readonly address: ShippingAddress | null;
}

/** SQL for the customer of `order_id` as a `CustomerRow`, null where there is none. @param orderId names the column. */
export const customerOf = (orderId: string): string =>
  `(select json_build_object('email', email, 'phone', phone, 'isPhoneOurs', is_phone_ours, 'taxId', tax_id, 'birthday', birthday,
                             'nationalAddress', national_address, 'address', shipping_address)
      from customer_details c where c.order_id = ${orderId})`;

/** Who gets the parcel; undefined when the order has no address to ship to. */
export function toRecipient(row: CustomerRow): Recipient | undefined {
  if (row.address === null) return undefined;
  const { name, company, address1, address2, city, province, zip, countryCode } = row.address;
  const phones = row.isPhoneOurs ? [row.phone, row.address.phone] : [row.address.phone, row.phone];
  return {
    name,
    company,
    address1,
    address2,
    city,
    province,
    zip,
    countryCode,
    phone: phones.find(Boolean) ?? '',
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

/**
 * A supplier may quote in any refusal who gets the parcel: evidence travels on the bus and into the log, without the
 * person.
 * @param recipient undefined: nobody is known by now.
 */
export function withoutRecipient(error: SupplierError, recipient: Recipient | undefined): SupplierError {
  const evidence = evidenceWithout(error.evidence, recipient === undefined ? [] : textsOf(recipient));
  return new SupplierError(error.failureClass, error.message, evidence, error.cause);
}
