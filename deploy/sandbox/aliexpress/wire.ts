import type { AliExpressSwitches } from './switches.ts';

/** An id of the platform. Some of them are beyond what a double can hold and still may come as JSON numbers. */
export class WireId {
  readonly digits: string;
  readonly isUsuallyNumber: boolean;

  constructor(digits: string, { isUsuallyNumber }: { isUsuallyNumber: boolean }) {
    this.digits = digits;
    this.isUsuallyNumber = isUsuallyNumber;
  }
}

/** A list, which this platform wraps into a holder with an inner name, or does not. */
export class WireList {
  readonly inner: string;
  readonly items: readonly unknown[];

  constructor(inner: string, items: readonly unknown[]) {
    this.inner = inner;
    this.items = items;
  }
}

export const numberId = (digits: string): WireId => new WireId(digits, { isUsuallyNumber: true });
export const textId = (digits: string): WireId => new WireId(digits, { isUsuallyNumber: false });

type Looks = Pick<AliExpressSwitches, 'listShape' | 'ids'>;

/** Undefined when the list is left out altogether. */
function holderOf({ inner, items }: WireList, listShape: Looks['listShape']): unknown {
  if (listShape === 'array') return items;
  if (items.length === 0) return listShape === 'missing' ? undefined : {};
  if (items.length > 1 || listShape === 'wrapped' || listShape === 'missing') return { [inner]: items };
  return listShape === 'single' ? { [inner]: items[0] } : items[0];
}

/** JSON text in which lists and ids look as the switches want them. `undefined` fields are left out. */
export function toWireText(value: unknown, looks: Looks): string {
  if (value instanceof WireId) {
    const isNumber = looks.ids === 'number' || (looks.ids === 'usual' && value.isUsuallyNumber);
    return isNumber ? value.digits : JSON.stringify(value.digits);
  }
  if (Array.isArray(value)) return `[${value.map((item) => toWireText(item, looks)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const shown = field instanceof WireList ? holderOf(field, looks.listShape) : field;
    return shown === undefined ? [] : [`${JSON.stringify(name)}:${toWireText(shown, looks)}`];
  });
  return `{${fields.join(',')}}`;
}
