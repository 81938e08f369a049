import { DeadLetterList, DeadLetterSummary, DeadLetterView } from '../../contracts/resources/dead-letter.ts';
import { HoldView } from '../../contracts/resources/hold.ts';
import { OrderList, OrderSummary, OrderView, ShippingAddress } from '../../contracts/resources/order.ts';
import {
  CustomerData,
  ErasureReceipt,
  PrivacyRequest,
  WaitingErasure,
} from '../../contracts/resources/privacy.ts';
import {
  ImportReport,
  MappedArticle,
  MappingCandidate,
  MappingSuggestions,
  ProductMapping,
  ProductMappingList,
  PutProductMapping,
  SeenArticle,
} from '../../contracts/resources/product-mapping.ts';
import {
  PausePurchasing,
  PurchasingPause,
  PurchasingPauses,
} from '../../contracts/resources/purchasing-pause.ts';
import { PreviewSourcing, SourcingPreview } from '../../contracts/resources/sourcing-preview.ts';
import { StuckItem, StuckList } from '../../contracts/resources/stuck.ts';
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
  CustomerData,
  DeadLetterList,
  DeadLetterSummary,
  DeadLetterView,
  DeliveryDays,
  ErasureReceipt,
  HoldView,
  ImportReport,
  MappedArticle,
  MappingCandidate,
  MappingSuggestions,
  OrderList,
  OrderSummary,
  OrderView,
  ParcelView,
  PausePurchasing,
  PreviewSourcing,
  PriceRange,
  PrivacyRequest,
  ProductMapping,
  ProductMappingList,
  ProductPage,
  ProductShippingOption,
  ProductSummary,
  ProductVariant,
  PurchasingPause,
  PurchasingPauses,
  PutProductMapping,
  SearchProducts,
  SeenArticle,
  ShippingAddress,
  SourcingPreview,
  StuckItem,
  StuckList,
  SupplierComparison,
  SupplierList,
  SupplierOrderList,
  SupplierOrderView,
  SupplierProduct,
  SupplierView,
  WaitingErasure,
};
