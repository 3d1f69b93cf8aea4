/**
 * Readers that are woken continue after the current step of their engine. A fiber runs as soon as it is resumed, and its handler may
 * end streams, start others and change names. So no loop over readers resumes one, and each step is complete when handlers see it.
 */
export class Wakes {
  private waiting: Array<() => void> = []

  /** Continues a reader after the current step. */
  later(goOn: () => void): void {
    if (this.waiting.push(goOn) === 1) queueMicrotask(this.now)
  }

  /**
   * Continues all woken readers now. Called between the steps of a loop that gives many events without a pause: a fast reader takes
   * those of one step before the next one, and does not overflow.
   */
  readonly now = (): void => {
    const { waiting } = this
    this.waiting = []
    for (const goOn of waiting) goOn()
  }
}
