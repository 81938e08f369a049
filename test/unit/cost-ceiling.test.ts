import { expect, test } from 'vitest';
import { readSettings } from '../../contracts/settings.ts';
import { ceilingOf } from '../../services/suppliers/purchase-ports.ts';

test.each([
  [25, '16', 29],
  [100, '13', 113],
  [100, '15', 115],
  [2_000, '12.5', 2_250],
  [99, '10', 108],
  [1_434, '0', 1_434],
])(
  'of a quote of %i and a tolerance of %s percent the cost may come to %i',
  (expectedCostMinor, percent, mostMinor) => {
    const settings = readSettings({ ORDER_MANAGER_COST_TOLERANCE_PERCENT: percent });
    expect(ceilingOf(settings, { expectedCostMinor })).toBe(mostMinor);
  },
);
