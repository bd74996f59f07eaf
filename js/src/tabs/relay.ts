// Makes the batches of a leader's connection readable for whoever comes and goes.

import { columns, NAME, nameAt, TOPIC, type Batch } from "../batch.js";

/** Knows the names of the topics that the Go program has told once. */
export class Relay {
  readonly #topics: string[] = [];

  /** Gives batch with all the names that its table refers to, and no others. */
  complete(batch: Batch): Batch {
    batch.names?.forEach(([number, name]) => (this.#topics[number] = name));
    batch.topics.forEach((name, i) => (this.#topics[batch.firstTopic + i] = name));
    const table = batch.table.slice();
    const topics: string[] = [];
    for (let row = 0; row < table.length; row += columns) {
      const name = this.#nameOf(batch, row);
      let number = topics.lastIndexOf(name); // mostly there is one
      if (number < 0) number = topics.push(name) - 1;
      table[row + TOPIC] = number;
      table[row + NAME] = 0;
    }
    const { names: _, ...rest } = batch;
    return { ...rest, table, topics, firstTopic: 0 };
  }

  #nameOf({ bytes, table }: Batch, row: number): string {
    const number = table[row + TOPIC]!;
    const at = table[row + NAME]!;
    if (!at) return this.#topics[number]!;
    const name = nameAt(bytes, at);
    if (number >= 0) this.#topics[number] = name;
    return name;
  }
}
