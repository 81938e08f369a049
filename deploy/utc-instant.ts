const WRITTEN = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A day or a moment as a person writes it, in UTC where it names no offset, wherever the machine stands; null for what is
 * none, like the 30th of February.
 */
export function utcInstant(text: string): Date | null {
  const [, day = '', time = '00:00', offset = 'Z'] = WRITTEN.exec(text.trim()) ?? [];
  const midnight = new Date(`${day}T00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return null;
  const instant = new Date(`${day}T${time}${offset}`);
  return Number.isNaN(instant.getTime()) ? null : instant;
}
