import type { SupplierName } from './vocabulary.ts';

/** Where it is another word than the supplier's name. */
const WORDS: Readonly<Partial<Record<SupplierName, string>>> = { cj_dropshipping: 'cj' };

/** What a supplier's pushes are sent to, below `/webhooks/`. */
export const pushPathOf = (supplier: SupplierName): string => WORDS[supplier] ?? supplier;
