package io.github.kfac4j.samples;

import io.github.kfac4j.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The vectors of which a second moment is taken: {@code rows()} vectors of dimension {@code dim()}
 * in each of {@code groups()} groups, described by where they lie in a trainer's tensor.
 *
 * <p>Row {@code n * positions + t} belongs to example {@code n} at position {@code t}, in all kinds
 * alike.
 */
public sealed interface Samples permits RowSamples, ChannelSamples, PatchSamples, JointSamples {
  /** Where the data lies. */
  Tensor data();

  /** Independent groups; group {@code k} has its own moment matrix. */
  int groups();

  /** The dimension of one vector of one group, with the bias coordinate if there is one. */
  int dim();

  /** Examples N. */
  int examples();

  /** Positions T of each example: 1 for a plain dense layer. */
  int positions();

  /** What has a tensor of its own: these samples, or each use of those that are joint. */
  default List<Samples> parts() {
    return List.of(this);
  }

  /** The same of changed data, with another number of examples. */
  Samples map(UnaryOperator<Tensor> change, int count);

  /** Vectors of one group: N T. */
  default long rows() {
    return (long) examples() * positions();
  }
}
