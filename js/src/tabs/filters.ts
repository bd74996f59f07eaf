// Which of a shared connection's messages belong to one tab: those to the connection's own
// topic, and to the filters that the tab itself has subscribed to.

import { columns, TOPIC, withRows, type Batch } from "../batch.js";

/** Tells whether a topic filter (MQTT 5, 4.7) takes in topic. */
export function matches(filter: string, topic: string): boolean {
  const shared = /^\$share\/[^/]+\/(.*)$/s.exec(filter);
  const want = (shared ? shared[1]! : filter).split("/");
  const have = topic.split("/");
  if (topic.startsWith("$") && (want[0] === "#" || want[0] === "+")) return false; // [MQTT-4.7.2-1]
  for (const [i, level] of want.entries()) {
    if (level === "#") return true; // the level above it as well
    if (i >= have.length || (level !== "+" && level !== have[i])) return false;
  }
  return want.length === have.length;
}

/** Gives the part of batch that is to the topic own or within filters; undefined when there is none, and nothing to tell. */
export function mine(batch: Batch, own: string, filters: readonly string[]): Batch | undefined {
  const { table, topics, firstTopic } = batch;
  const wanted = topics.map((name) => name === own || filters.some((filter) => matches(filter, name)));
  if (wanted.every(Boolean)) return batch;
  const rows: number[] = [];
  for (let row = 0; row < table.length; row += columns) {
    if (wanted[table[row + TOPIC]! - firstTopic]) rows.push(row);
  }
  return withRows(batch, rows);
}
