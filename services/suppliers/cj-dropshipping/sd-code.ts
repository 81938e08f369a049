const PART = /-\d{1,3}$/;

/** CJ's code of an order: what we keep, and what every write takes. */
export const isSdCode = (code: string): boolean => /^SD[\w-]+$/.test(code);

/** CJ splits a paid order into parts, each with its own parcel: `SD…-1`, `SD…-2`. */
export const isPartCode = (code: string): boolean => PART.test(code);

/** The order that a part came from; of a whole order its own code. */
export const stemOf = (code: string): string => code.replace(PART, '');

/** @param number from 1. */
export const partCode = (stem: string, number: number): string => `${stem}-${number}`;
