/** A bucket, as something whose events can be subscribed to. */
export class KiiBucket {
  /** The segments of its path below the app. */
  readonly path: readonly string[];
  private readonly name: string;

  constructor(scope: readonly string[], name: string) {
    this.path = [...scope, "buckets", name, "filters", "all"];
    this.name = name;
  }

  getBucketName(): string {
    return this.name;
  }
}
