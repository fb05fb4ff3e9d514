package io.github.kfac4j.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Checks tensors that are replaced in place together: each must be writable, and no place in memory
 * may be an element of two, which would hold what was written last. They may lie between one
 * another, as columns of one matrix do.
 */
public final class InPlace {
  private final String fate;
  private final List<Named> all = new ArrayList<>();

  private record Named(String name, MemoryRegion region) {}

  /**
   * None yet.
   *
   * @param fate of the tensors, for messages: {@code "overwritten"}
   */
  public InPlace(String fate) {
    this.fate = fate;
  }

  /**
   * Adds a tensor.
   *
   * @param name for messages: {@code "layer 'fc': bias gradient"}
   * @throws IllegalArgumentException with the name, if the tensor is in a read-only buffer, or has
   *     elements that may be one place
   */
  public void add(String name, Tensor tensor) {
    if (tensor instanceof HostTensor host) {
      requireWritable(name, host);
    }
    if (tensor.shape().size() > 0) {
      tensor.memory().ifPresent(region -> all.add(new Named(name, region)));
    }
  }

  private void requireWritable(String name, HostTensor host) {
    if (host.isReadOnly()) {
      throw new IllegalArgumentException(
          "%s is in a read-only buffer, and is to be %s: copy it".formatted(name, fate));
    }
    if (host.overlaps()) {
      throw new IllegalArgumentException(
          "%s of shape %s has strides %s, by which several of its elements may be one place, and is to be %s: copy it"
              .formatted(name, host.shape(), Arrays.toString(host.strides()), fate));
    }
  }

  /**
   * Checks all that were added against one another.
   *
   * @throws IllegalArgumentException naming two that share memory
   */
  public void requireApart() {
    all.sort(Comparator.comparingLong(one -> one.region().start()));
    for (int i = 0; i < all.size(); i++) {
      for (int j = i + 1; j < all.size() && all.get(i).region().reaches(all.get(j).region()); j++) {
        Named first = all.get(i);
        Named second = all.get(j);
        if (first.region().overlaps(second.region())) {
          throw new IllegalArgumentException(
              "%s and %s share memory, and both are to be %s: copy one of them"
                  .formatted(first.name(), second.name(), fate));
        }
      }
    }
  }
}
