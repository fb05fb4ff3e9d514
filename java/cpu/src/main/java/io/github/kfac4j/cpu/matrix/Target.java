package io.github.kfac4j.cpu.matrix;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;

/** Where a result goes: the tensor's own memory if it is fp32 outside the heap, else a copy. */
public final class Target {
  private final HostTensor tensor;
  private final boolean inPlace;
  private final Floats memory;

  /** A tensor of this backend; a copy is taken from the arena. */
  public Target(Tensor tensor, Arena arena) {
    this.tensor = (HostTensor) tensor;
    this.inPlace = Source.inPlace(this.tensor);
    this.memory = inPlace ? Floats.wrap(this.tensor.floats()) : arena.take(this.tensor.size());
  }

  /** Whether {@link #flush} has nothing to do. */
  public boolean inPlace() {
    return inPlace;
  }

  /** The memory to write to. */
  public Floats memory() {
    return memory;
  }

  /** Hands what was written to the tensor. */
  public void flush() {
    if (!inPlace) {
      tensor.write(0, memory.buffer().slice(memory.start(), tensor.size()));
    }
  }
}
