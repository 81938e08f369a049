const keepExact = (_key: string, value: unknown, context?: { source?: string }): unknown => {
  const source = context?.source;
  const isRounded = typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value);
  return isRounded && /^-?\d+$/.test(source) ? source : value;
};

/**
 * Parses JSON; integers that a double cannot hold come back as text, digit for digit.
 * Throws SyntaxError like JSON.parse.
 */
export const parseExactJson = (text: string): unknown => JSON.parse(text, keepExact);
