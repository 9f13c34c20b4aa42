/**
 * Puts the finished files of a run somewhere. Sees bytes and names, never rows. A stage is a folder of
 * the run's own; the files to publish stand in `files` inside it.
 */
export interface Destination<Options> {
  /**
   * Prepares a stage, showing nothing at the destination. Throws `destination.denied` when the files
   * could not be published there.
   */
  stage(options: Options): Promise<string>;
  /** Commits and publishes the stage's files, the manifest last. Doing it twice leaves the same files. */
  publish(stage: string): Promise<void>;
  /** Removes a stage that is not committed and all that was made for it; a committed one stays. */
  discard(stage: string): Promise<void>;
}

/** A destination that keeps its own record of what is committed, for commands that have no database. */
export interface SelfRecovering<Options> extends Destination<Options> {
  /** Ends what a crash interrupted: a committed stage is published, any other discarded. Safe to repeat. */
  recover(stage: string): Promise<void>;
  /** Recovers the stages of the destination whose processes are gone. */
  sweep(options: Options): Promise<void>;
}
