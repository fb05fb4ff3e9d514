package io.github.kfac4j.layer;

import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.tensor.Tensor;

/**
 * A table of vectors, weight {@code [vocabulary, width]}. It is used in one or both of two ways,
 * told apart by the shapes:
 *
 * <ul>
 *   <li>as a table: input {@code [N, ...]} holds row numbers as whole numbers, the output gradient
 *       is {@code [N, ..., width]};
 *   <li>as the matrix in front of a softmax, tied to the table: input {@code [N, ..., width]},
 *       output gradient {@code [N, ..., vocabulary]}.
 * </ul>
 *
 * <p>One-hot inputs have a diagonal second moment, so the factor A of the rows is the diagonal of
 * token frequencies, exactly, and never vocabulary x vocabulary. Where the weight is tied, A pools
 * token frequencies and squared gradients of the logits (its diagonal alone), and G pools gradients
 * of embedded vectors and inputs of the softmax, as if the uses were further examples (Zhang et al.
 * 2019, appendix A.1). The block is multiplied by the number of positions over all uses.
 *
 * @param vocabulary rows of the table
 * @param width of its vectors
 * @param timesUses whether the block counts every use, as tensorflow/kfac does, or is their mean
 */
public record Embedding(int vocabulary, int width, boolean timesUses) implements Layer {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive
   */
  public Embedding {
    if (vocabulary <= 0 || width <= 0) {
      throw new IllegalArgumentException(
          "vocabulary and width must be positive but are " + vocabulary + " and " + width);
    }
  }

  /** A table whose uses all count. */
  public Embedding(int vocabulary, int width) {
    this(vocabulary, width, true);
  }

  /** A table whose block counts every use, as tensorflow/kfac does. */
  public static Embedding of(int vocabulary, int width) {
    return new Embedding(vocabulary, width, true);
  }

  /** The same whose block is the mean of its uses. */
  public Embedding withMeanOfUses() {
    return new Embedding(vocabulary, width, false);
  }

  /** The length of the diagonal of A. */
  @Override
  public int inputDim() {
    return vocabulary;
  }

  @Override
  public int outputDim() {
    return width;
  }

  @Override
  public boolean diagonalInput() {
    return true;
  }

  @Override
  public boolean takesTokens() {
    return true;
  }

  @Override
  public boolean bias() {
    return false;
  }

  @Override
  public boolean featuresLast() {
    return true;
  }

  @Override
  public Shape weightShape() {
    return Shape.of(vocabulary, width);
  }

  /** Of embedded vectors, and not of the logits of a table that is tied to a softmax. */
  @Override
  public boolean readsOnDevice(Shape outputGrad) {
    return width != vocabulary && outputGrad.get(outputGrad.rank() - 1) == width;
  }

  @Override
  public boolean rewritesOnDevice() {
    return true;
  }

  @Override
  public Use use(Tensor input, Tensor outputGrad) {
    Shape in = input.shape();
    Shape out = outputGrad.shape();
    Batches.requireExamples("input", in);
    boolean lookup = in.rank() >= 1 && out.rank() == in.rank() + 1;
    boolean logits = in.rank() >= 2 && out.rank() == in.rank();
    int last = out.rank() - 1;
    if (lookup && out.get(last) == width && same(in, out, in.rank())) {
      RowSamples g = rows(outputGrad);
      return new Tokens(ids(Batches.host("input", input)), g, g.examples());
    }
    if (logits
        && in.get(last) == width
        && out.get(last) == vocabulary
        && same(in, out, in.rank() - 1)) {
      return new Vectors(rows(input), rows(Batches.host("output gradient", outputGrad)));
    }
    throw new IllegalArgumentException(
        "input of shape %s with output gradient of shape %s, expected [N, ...] with [N, ..., %d] for a table or [N, ..., %d] with [N, ..., %d] in front of a softmax"
            .formatted(in, out, width, width, vocabulary));
  }

  private static boolean same(Shape a, Shape b, int dimensions) {
    for (int i = 0; i < dimensions; i++) {
      if (a.get(i) != b.get(i)) {
        return false;
      }
    }
    return true;
  }

  private static RowSamples rows(Tensor data) {
    Shape shape = data.shape();
    int last = shape.rank() - 1;
    int positions = Batches.product(shape, 1, last);
    return new RowSamples(data, shape.get(0), positions, 1, shape.get(last), false);
  }

  private int[] ids(HostTensor input) {
    double[] values = input.toArray();
    int[] ids = new int[values.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = (int) values[i];
      if (ids[i] != values[i] || ids[i] < 0 || ids[i] >= vocabulary) {
        throw new IllegalArgumentException(
            "input holds %s at flat index %d, expected whole numbers from 0 to %d"
                .formatted(values[i], i, vocabulary - 1));
      }
    }
    return ids;
  }
}
