/** Something that stays up. Stop before start and stop twice are harmless; stop waits for work in hand. */
export interface Daemon {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A daemon that works in rounds. Tests call `tick` and wait for nothing else. */
export interface TickingDaemon extends Daemon {
  /** One round; gives how much it did. */
  tick(): Promise<number>;
}
