/** The field of an address that carries the id, with whatever else belongs to it. */
export type TaxFields = Readonly<
  Partial<
    Record<'cpf' | 'passport_no' | 'foreigner_passport_no' | 'is_foreigner' | 'rut_no' | 'vat_no', string>
  >
>;

interface TaxRule {
  /** For people: what is wanted there. */
  readonly name: string;
  readonly isRequired: boolean;
  /** Of an id in capitals without any signs. */
  isValid(id: string): boolean;
  toFields(id: string): TaxFields;
}

const digitsOf = (id: string): number[] => [...id].map(Number);

const weighted = (digits: readonly number[], weights: readonly number[]): number =>
  weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);

/** Eleven digits, the last two of which check the others. */
function isCpf(id: string): boolean {
  if (!/^\d{11}$/.test(id) || /^(\d)\1+$/.test(id)) return false;
  const digits = digitsOf(id);
  const check = (weights: readonly number[]): number => ((weighted(digits, weights) * 10) % 11) % 10;
  return (
    check([10, 9, 8, 7, 6, 5, 4, 3, 2]) === digits[9] &&
    check([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === digits[10]
  );
}

/** Seven or eight digits and a check digit, which is K for ten. */
function isRut(id: string): boolean {
  if (!/^\d{7,8}[\dK]$/.test(id)) return false;
  const digits = digitsOf(id.slice(0, -1).padStart(8, '0'));
  const check = (11 - (weighted(digits, [3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return id.endsWith(check === 10 ? 'K' : String(check));
}

/** Eleven digits with two check digits of a person, or the ten of a company. */
function isTurkishId(id: string): boolean {
  if (/^\d{10}$/.test(id)) return true;
  if (!/^[1-9]\d{10}$/.test(id)) return false;
  const digits = digitsOf(id);
  const tenth = weighted(digits, [7, -1, 7, -1, 7, -1, 7, -1, 7]) % 10;
  const eleventh = weighted(digits, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10;
  return digits[9] === (tenth + 10) % 10 && digits[10] === eleventh;
}

const RULES: Readonly<Record<string, TaxRule>> = {
  BR: { name: 'CPF', isRequired: true, isValid: isCpf, toFields: (cpf) => ({ cpf }) },
  KR: {
    name: 'personal customs code',
    isRequired: true,
    isValid: (id) => /^P\d{12}$/.test(id),
    // Which of the two the customs there read is not documented.
    toFields: (id) => ({ is_foreigner: 'false', passport_no: id, foreigner_passport_no: id }),
  },
  MX: {
    name: 'RFC or CURP',
    isRequired: true,
    isValid: (id) => /^[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3}$|^[A-Z]{4}\d{6}[A-Z]{6}[A-Z\d]\d$/.test(id),
    toFields: (passport_no) => ({ passport_no }),
  },
  CL: {
    name: 'RUT',
    isRequired: true,
    isValid: isRut,
    toFields: (id) => ({ rut_no: `${id.slice(0, -1)}-${id.slice(-1)}` }),
  },
  TR: {
    name: 'identity or tax number',
    isRequired: false,
    isValid: isTurkishId,
    toFields: (vat_no) => ({ vat_no }),
  },
  IT: {
    name: 'codice fiscale or partita IVA',
    isRequired: false,
    isValid: (id) => /^[A-Z]{6}[A-Z\d]{2}[A-Z][A-Z\d]{2}[A-Z][A-Z\d]{3}[A-Z]$|^\d{11}$/.test(id),
    toFields: (vat_no) => ({ vat_no }),
  },
  ES: {
    name: 'NIF',
    isRequired: false,
    isValid: (id) => /^[A-Z\d]\d{7}[A-Z\d]$/.test(id),
    toFields: (vat_no) => ({ vat_no }),
  },
};

/** `taxId` as it is sent, and the fields of the address that carry it. */
export type TaxAnswer =
  | { readonly taxId: string; readonly fields: TaxFields }
  /** For people; repeats nothing of the id. */
  | { readonly problem: string };

const NOTHING: TaxAnswer = { taxId: '', fields: {} };

/** The id that customs of that country want, checked as far as it checks itself. Other countries get none. */
export function readTaxId(countryCode: string, given: string): TaxAnswer {
  const rule = RULES[countryCode];
  if (rule === undefined) return NOTHING;
  const id = given.toUpperCase().replace(/[\s./_-]/g, '');
  if (id === '') return rule.isRequired ? { problem: `a ${rule.name} is missing` } : NOTHING;
  // Tax numbers are often written with their country before them.
  const bare = id.startsWith(countryCode) ? id.slice(countryCode.length) : id;
  const taxId = [id, bare].find((each) => rule.isValid(each));
  return taxId === undefined ? { problem: `it is no ${rule.name}` } : { taxId, fields: rule.toFields(taxId) };
}
