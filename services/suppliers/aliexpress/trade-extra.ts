import type { Recipient, RecipientCheck } from '../adapter.ts';

/** Besides the address: what AliExpress wants for orders to some countries. */
export type TradeExtra = Readonly<Partial<Record<'birthday' | 'nat_addr', string>>>;

type Problem = RecipientCheck['problems'][number];

export interface Extra {
  readonly fields: TradeExtra;
  readonly problems: readonly Problem[];
}

const NOTHING: Extra = { fields: {}, problems: [] };

const missing = (field: Problem['field'], what: string): Extra => ({
  fields: {},
  problems: [
    { field, reason: 'tax_id_missing', problem: `${what} is missing, which AliExpress asks for there` },
  ],
});

/**
 * Brazil wants the receiver's day of birth, Saudi Arabia the code of the National Address. That it refuses without them
 * is nowhere proven: a person may go on without.
 */
export function readTradeExtra({ countryCode, birthday, nationalAddress }: Recipient): Extra {
  if (countryCode === 'BR') {
    if (birthday === undefined) return missing('birthday', 'the day of birth');
    return { fields: { birthday: birthday.split('-').toReversed().join('') }, problems: [] };
  }
  if (countryCode === 'SA') {
    if (nationalAddress === undefined) return missing('nationalAddress', 'the code of the National Address');
    return { fields: { nat_addr: nationalAddress }, problems: [] };
  }
  return NOTHING;
}
