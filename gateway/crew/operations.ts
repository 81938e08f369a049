/** What other agents may ask for over NATS: the REST route behind each operation. Routes without a name here are for people. */
export const OPERATIONS: Readonly<Record<string, string>> = {
  'GET /orders': 'orders.list',
  'GET /orders/:orderId': 'orders.get',
  'GET /supplier-orders': 'supplier_orders.list',
  'GET /supplier-orders/:supplierOrderId': 'supplier_orders.get',
  'POST /search': 'products.search',
  'GET /product/:supplier/:productId': 'products.get',
  'GET /suppliers': 'suppliers.list',
  'GET /purchasing': 'purchasing.get',
  'POST /purchasing/pause': 'purchasing.pause',
  'POST /suppliers/:supplier/pause': 'suppliers.pause',
  'GET /product-mappings': 'product_mappings.list',
  'DELETE /product-mappings/:variantId': 'product_mappings.delete',
  'GET /product-mappings/:variantId': 'product_mappings.get',
  'PUT /product-mappings/:variantId': 'product_mappings.set',
};
