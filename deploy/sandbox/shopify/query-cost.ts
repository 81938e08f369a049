import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

const MUTATION_POINTS = 10;
const CONNECTION_PARTS = new Set(['nodes', 'edges', 'node', 'pageInfo']);

function pageSize(field: FieldNode, variables: Variables): number | null {
  for (const { name, value } of field.arguments ?? []) {
    if (name.value !== 'first' && name.value !== 'last') continue;
    const size =
      value.kind === Kind.VARIABLE
        ? variables[value.name.value]
        : 'value' in value
          ? Number(value.value)
          : null;
    if (typeof size === 'number') return size;
  }
  return null;
}

/**
 * Upper bound of an operation's cost by Shopify's plain rule: scalars cost nothing, an object 1, a list its
 * `first` times what is in it, a mutation 10. Only for documents that passed validation.
 */
export function requestedCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }

  const ofField = (parent: GraphQLNamedType, field: FieldNode): number => {
    if (!isObjectType(parent) && !isInterfaceType(parent)) return 0;
    const definition = parent.getFields()[field.name.value];
    const type = definition === undefined ? undefined : getNamedType(definition.type);
    if (type === undefined || isLeafType(type) || field.selectionSet === undefined) return 0;
    const children = ofSelection(type, field.selectionSet);
    if (CONNECTION_PARTS.has(field.name.value)) return children;
    const size = pageSize(field, variables);
    return size === null ? 1 + children : size * (1 + children);
  };
  const ofSelection = (parent: GraphQLNamedType, selectionSet: SelectionSetNode): number =>
    selectionSet.selections.reduce((points, selection) => {
      if (selection.kind === Kind.FIELD) return points + ofField(parent, selection);
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (fragment === undefined) return points;
      const target =
        fragment.typeCondition === undefined ? parent : schema.getType(fragment.typeCondition.name.value);
      return isCompositeType(target) ? points + ofSelection(target, fragment.selectionSet) : points;
    }, 0);

  const root = schema.getRootType(operation.operation);
  if (root == null) return 0;
  const points = ofSelection(root, operation.selectionSet);
  // A mutation's payload counts as 10 instead of the 1 of an object.
  return operation.operation === 'mutation'
    ? points + operation.selectionSet.selections.length * (MUTATION_POINTS - 1)
    : points;
}

/** What an answer cost: one point per object in it, wrappers of lists not counted. */
export function actualCost(data: unknown): number {
  if (Array.isArray(data)) return data.reduce((points: number, entry) => points + actualCost(entry), 0);
  if (data === null || typeof data !== 'object') return 0;
  return Object.entries(data).reduce((points, [name, value]) => {
    if (value === null || typeof value !== 'object') return points;
    const objects = CONNECTION_PARTS.has(name) ? 0 : Array.isArray(value) ? value.length : 1;
    return points + objects + actualCost(value);
  }, 0);
}
