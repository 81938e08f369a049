/** `gid://shopify/<type>/<digits>`. */
export const toGid = (type: string, id: string): string => `gid://shopify/${type}/${id}`;

/** The digits of a gid of that type; null for anything else. A `?…` behind the digits is dropped. */
export function fromGid(type: string, gid: string): string | null {
  const prefix = `gid://shopify/${type}/`;
  const id = gid.startsWith(prefix) ? gid.slice(prefix.length).split('?')[0] : undefined;
  return id !== undefined && /^\d+$/.test(id) ? id : null;
}
