import {
  type AnyActorScope,
  createActor,
  createMachine,
  type EventFromLogic,
  type SnapshotFrom,
} from 'xstate';
import type { OrderReceived } from '../contracts/events/order-received.ts';
import { OrderStateName, SupplierOrderStateName } from '../contracts/vocabulary.ts';
import type { Effect } from './effect.ts';
import { orderMachine } from './order.ts';
import type { OrderContext } from './order-context.ts';
import { supplierOrderMachine } from './supplier-order.ts';
import type { SupplierOrderContext, SupplierOrderInput } from './supplier-order-context.ts';

/** All that is stored of a machine. */
export interface MachineState<Value extends string, Context> {
  readonly value: Value;
  readonly context: Context;
}
export type OrderState = MachineState<OrderStateName, OrderContext>;
export type SupplierOrderState = MachineState<SupplierOrderStateName, SupplierOrderContext>;

export interface Decision<State> {
  /** False for what is late, repeated or out of turn: nothing changes and nothing follows. */
  readonly accepted: boolean;
  readonly state: State;
  readonly effects: readonly Effect[];
}

interface EmittedAction {
  readonly type: string;
  readonly params: unknown;
}

/** `effect` is the only named action of both machines, so its params are effects by the machines' own types. */
const effectsOf = (actions: readonly EmittedAction[]): Effect[] =>
  actions.flatMap(({ type, params }) => (type === 'effect' ? [params as Effect] : []));

const nothing = (): void => {};

const nobody = createActor(createMachine({}));

/**
 * What XState wants around a step. Its own `transition()` makes an actor for each event, which costs more than the step;
 * our machines have no children and ask nothing of it, so that one that never starts serves all.
 */
const scopeOf = (actions: EmittedAction[]): AnyActorScope => ({
  self: nobody,
  system: nobody.system,
  id: '',
  sessionId: '',
  logger: nothing,
  defer: nothing,
  emit: nothing,
  stopChild: nothing,
  actionExecutor: (action) => void actions.push(action),
});

type OrderMachineEvent = EventFromLogic<typeof orderMachine>;
type SupplierOrderMachineEvent = EventFromLogic<typeof supplierOrderMachine>;

const toOrderState = (snapshot: SnapshotFrom<typeof orderMachine>): OrderState => ({
  value: OrderStateName.parse(snapshot.value),
  context: snapshot.context,
});

const toSupplierOrderState = (snapshot: SnapshotFrom<typeof supplierOrderMachine>): SupplierOrderState => ({
  value: SupplierOrderStateName.parse(snapshot.value),
  context: snapshot.context,
});

export function startOrder(received: OrderReceived): Decision<OrderState> {
  const actions: EmittedAction[] = [];
  const snapshot = orderMachine.getInitialSnapshot(scopeOf(actions), received);
  return { accepted: true, state: toOrderState(snapshot), effects: effectsOf(actions) };
}

export function decideOrder(state: OrderState, event: OrderMachineEvent): Decision<OrderState> {
  const before = orderMachine.resolveState(state);
  if (!before.can(event)) return { accepted: false, state, effects: [] };
  const actions: EmittedAction[] = [];
  const after = orderMachine.transition(before, event, scopeOf(actions));
  return { accepted: true, state: toOrderState(after), effects: effectsOf(actions) };
}

export function startSupplierOrder(input: SupplierOrderInput): Decision<SupplierOrderState> {
  const actions: EmittedAction[] = [];
  const snapshot = supplierOrderMachine.getInitialSnapshot(scopeOf(actions), input);
  return { accepted: true, state: toSupplierOrderState(snapshot), effects: effectsOf(actions) };
}

export function decideSupplierOrder(
  state: SupplierOrderState,
  event: SupplierOrderMachineEvent,
): Decision<SupplierOrderState> {
  const before = supplierOrderMachine.resolveState(state);
  if (!before.can(event)) return { accepted: false, state, effects: [] };
  const actions: EmittedAction[] = [];
  const after = supplierOrderMachine.transition(before, event, scopeOf(actions));
  return { accepted: true, state: toSupplierOrderState(after), effects: effectsOf(actions) };
}
