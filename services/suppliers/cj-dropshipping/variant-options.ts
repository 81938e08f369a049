/** `{ name: "Color", value: "Red" }`, in the product's order. */
export interface VariantOption {
  readonly name: string;
  readonly value: string;
}

const partsOf = (text: string): string[] =>
  text
    .split('-')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** The list that CJ sometimes writes inside the text, else its parts between dashes. */
function valuesOf(variantKey: string): string[] {
  if (!variantKey.startsWith('[')) return partsOf(variantKey);
  try {
    const list: unknown = JSON.parse(variantKey);
    return Array.isArray(list) ? list.map(String).filter((value) => value !== '') : [];
  } catch {
    return partsOf(variantKey);
  }
}

/**
 * The options of a variant: the product's `productKeyEn` ("Color-Size") names what `variantKey` ("Red-L") chooses. A
 * dash inside a value makes the parts uneven: then names and values stay together as one option.
 */
export function optionsOf(productKeyEn: string | null, variantKey: string | null): VariantOption[] {
  if (variantKey === null) return [];
  const names = partsOf(productKeyEn ?? '');
  const values = valuesOf(variantKey);
  if (values.length === 0) return [];
  if (names.length !== values.length) {
    const value = variantKey.startsWith('[') ? values.join('-') : variantKey;
    return [{ name: names.join('-') || 'Variant', value }];
  }
  return names.map((name, index) => ({ name, value: values[index] ?? '' }));
}
