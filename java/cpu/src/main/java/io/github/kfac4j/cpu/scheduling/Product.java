package io.github.kfac4j.cpu.scheduling;

import io.github.kfac4j.cpu.memory.Arena;

/** A matrix product that is cut into tiles if it is large. */
public interface Product {
  /** Multiplications. */
  double work();

  int tiles();

  /** Forms one tile with a thread's own scratch memory. */
  void run(int tile, Arena scratch);
}
