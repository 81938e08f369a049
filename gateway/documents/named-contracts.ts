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
  PausePurchasing,
  PurchasingPause,
  PurchasingPauses,
} from '../../contracts/resources/purchasing-pause.ts';
import { SupplierComparison, SupplierList, SupplierView } from '../../contracts/resources/supplier.ts';
import {
  ParcelView,
  SupplierOrderList,
  SupplierOrderView,
} from '../../contracts/resources/supplier-order.ts';
import {
  DeliveryDays,
  PriceRange,
  ProductPage,
  ProductShippingOption,
  ProductSummary,
  ProductVariant,
  SearchProducts,
  SupplierProduct,
} from '../../contracts/resources/supplier-product.ts';
import type { NamedContracts } from './openapi.ts';

/** Contracts that stand in the documents by their names; clients generated from them get types of these names. */
export const NAMED_CONTRACTS: NamedContracts = {
  DeliveryDays,
  PausePurchasing,
  PriceRange,
  ProductPage,
  ProductShippingOption,
  ProductSummary,
  ProductVariant,
  PurchasingPause,
  PurchasingPauses,
  SearchProducts,
  SupplierComparison,
  SupplierList,
  SupplierProduct,
  SupplierView,
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
