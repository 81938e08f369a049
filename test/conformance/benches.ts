import type { SupplierName } from '../../contracts/vocabulary.ts';
import { ALIEXPRESS_BENCHES } from './aliexpress-bench.ts';
import type { BenchSetup } from './bench.ts';
import { CJ_BENCHES } from './cj-dropshipping-bench.ts';

/** How each supplier of the registry is put to the test. */
export const BENCHES: Readonly<Record<SupplierName, readonly BenchSetup[]>> = {
  aliexpress: ALIEXPRESS_BENCHES,
  cj_dropshipping: CJ_BENCHES,
};
