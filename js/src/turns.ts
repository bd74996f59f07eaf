/** Calls functions in a turn of their own. Timers would do, but pages that are hidden have slow ones. */
export class Turns {
  #ended = false;
  #channel: MessageChannel | undefined;
  #work: (() => void)[] = [];

  add(work: () => void): void {
    if (this.#ended) return;
    if (!this.#channel) {
      this.#channel = new MessageChannel();
      this.#channel.port1.onmessage = () => {
        for (const work of this.#work.splice(0)) work();
      };
    }
    if (this.#work.push(work) === 1) this.#channel.port2.postMessage(0);
  }

  end(): void {
    this.#ended = true;
    this.#channel?.port1.close();
    this.#channel?.port2.close();
    this.#work = [];
  }
}
