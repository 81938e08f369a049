import {
  HoldView,
  OrderList,
  OrderSummary,
  OrderView,
  ShippingAddress,
} from '../../contracts/resources/order.ts';
import {
  MappingCandidate,
  ProductMapping,
  PutProductMapping,
} from '../../contracts/resources/product-mapping.ts';
import {
  ParcelView,
  SupplierOrderList,
  SupplierOrderView,
} from '../../contracts/resources/supplier-order.ts';
import type { NamedContracts } from './openapi.ts';

/** Contracts that stand in the documents by their names; clients generated from them get types of these names. */
export const NAMED_CONTRACTS: NamedContracts = {
  HoldView,
  MappingCandidate,
  OrderList,
  OrderSummary,
  OrderView,
  ParcelView,
  ProductMapping,
  PutProductMapping,
  ShippingAddress,
  SupplierOrderList,
  SupplierOrderView,
};
