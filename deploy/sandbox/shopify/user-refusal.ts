/** A business refusal: it goes into `userErrors`, HTTP and GraphQL stay content. */
export class UserRefusal extends Error {
  readonly field: string[] | null;

  constructor(field: string[] | null, message: string) {
    super(message);
    this.name = new.target.name;
    this.field = field;
  }
}
