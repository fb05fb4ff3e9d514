package io.github.kfac4j.cpu.scheduling;

/**
 * Makes tasks that finish in any order add their results in one order, so that sums have the same
 * bits on every run. Tasks must start in the order of their turns.
 */
public final class Turns {
  private int turn;

  /** Runs an action when all earlier turns are over. */
  public synchronized void take(int mine, Runnable action) {
    boolean interrupted = false;
    while (turn < mine) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    action.run();
  }

  /** Ends a turn, whether it was taken or not. */
  public synchronized void end(int mine) {
    turn = Math.max(turn, mine + 1);
    notifyAll();
  }
}
