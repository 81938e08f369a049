import { z } from 'zod';
import { PausePurchasing, PauseScope, PurchasingPauses } from '../resources/purchasing-pause.ts';
import type { RequestContract } from './request.ts';

/** Suppliers: the kill switch. Stops buying and paying and nothing else; once it is answered, nothing new is begun. */
export const PAUSE_PURCHASING = {
  service: 'suppliers',
  verb: 'pause_purchasing',
  request: PausePurchasing.extend({ scope: PauseScope }),
  reply: PurchasingPauses,
} satisfies RequestContract;

/** Suppliers: buying goes on, and so does every purchase that was held by this pause alone. */
export const RESUME_PURCHASING = {
  service: 'suppliers',
  verb: 'resume_purchasing',
  request: z.strictObject({ scope: PauseScope }),
  reply: PurchasingPauses,
} satisfies RequestContract;
