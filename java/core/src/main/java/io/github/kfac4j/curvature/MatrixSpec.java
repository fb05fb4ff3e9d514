package io.github.kfac4j.curvature;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Storage;
import java.util.List;

/**
 * One stack of matrices that a curvature keeps of a layer. What is the same for all curvatures
 * (saved states, statistics of shards, adaptive intervals, dropped steps) asks for the role alone.
 */
public record MatrixSpec(StateKey key, Role role, int count, int rows, int cols) {
  /** What a stack is to its layer. */
  public enum Role {
    /** The running average of a factor of the inputs. */
    INPUT_FACTOR,
    /** The running average of a factor of the output gradients. */
    OUTPUT_FACTOR,
    /** The running average of squared gradients of the weight, in a basis. */
    MOMENTS,
    /** Made of the averages at a refresh. */
    RESULT,
    /** Eigenvectors of averages at a refresh. */
    BASIS,
    /** What an average was at an earlier refresh. */
    EARLIER;

    /** Whether it is the running average of a factor. */
    public boolean isFactor() {
      return this == INPUT_FACTOR || this == OUTPUT_FACTOR;
    }

    /** Whether observations change it. */
    boolean isAverage() {
      return isFactor() || this == MOMENTS;
    }

    /** Whether output gradients are in it. */
    public boolean isOfGradients() {
      return this == OUTPUT_FACTOR || this == MOMENTS;
    }
  }

  /**
   * The averages that a batch alone gives: factors, or moments where the basis is not made of
   * factors.
   */
  static List<MatrixSpec> statistics(List<MatrixSpec> specs) {
    List<MatrixSpec> factors = specs.stream().filter(spec -> spec.role.isFactor()).toList();
    return factors.isEmpty()
        ? specs.stream().filter(spec -> spec.role == Role.MOMENTS).toList()
        : factors;
  }

  /** The dimension of its matrices if they are symmetric, else 0. */
  public int symmetricDim() {
    return role.isFactor() && rows == cols ? rows : 0;
  }

  double elements() {
    return (double) count * rows * cols;
  }

  double bytes(Storage storage) {
    return elements() * (role == Role.BASIS ? storage.basisBytes() : storage.elementBytes());
  }

  MatrixStack allocate(Backend backend) {
    return role == Role.BASIS
        ? backend.allocateBasis(count, rows, cols)
        : backend.allocate(count, rows, cols);
  }
}
