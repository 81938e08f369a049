/** Units by order line; a line of which there are none is not named. */
export type Units = Readonly<Record<string, number>>;

export const isNothing = (units: Units): boolean => Object.keys(units).length === 0;

export const isSameUnits = (ours: Units, theirs: Units): boolean =>
  [...Object.keys(ours), ...Object.keys(theirs)].every((lineId) => ours[lineId] === theirs[lineId]);

const keepPositive = (counts: readonly (readonly [string, number])[]): Units =>
  Object.fromEntries(counts.filter(([, count]) => count > 0));

/** Of one line, in these parcels or on these purchases together. */
export const unitsOfLine = (lineId: string, parts: readonly { readonly units: Units }[]): number =>
  parts.reduce((sum, { units }) => sum + (units[lineId] ?? 0), 0);

/** What the parts leave of all. */
export const withoutUnits = (all: Units, parts: readonly { readonly units: Units }[]): Units =>
  keepPositive(Object.entries(all).map(([lineId, count]) => [lineId, count - unitsOfLine(lineId, parts)]));

/** As many of the wanted units as there is room for. */
export const fitInto = (room: Units, wanted: Units): Units =>
  keepPositive(Object.entries(wanted).map(([lineId, count]) => [lineId, Math.min(count, room[lineId] ?? 0)]));
