package io.github.kfac4j.tensor;

import java.util.Optional;

/**
 * A trainer's array, borrowed for the duration of one call. kfac4j never owns a tensor and never
 * keeps one after the call it was passed to.
 *
 * <p>{@link HostTensor} holds data in host memory, with any strides, and is understood by every
 * backend. A backend may define further kinds (memory of a device, row-major) that only it
 * understands.
 */
public interface Tensor {
  /** The extent of each dimension. */
  Shape shape();

  /** Where its elements lie; empty if that cannot be told. Asked of tensors that are replaced. */
  default Optional<MemoryRegion> memory() {
    return Optional.empty();
  }
}
