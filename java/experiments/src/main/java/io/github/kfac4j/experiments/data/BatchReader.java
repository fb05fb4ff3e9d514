package io.github.kfac4j.experiments.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Turns examples into the numbers a network sees.
 *
 * <p>Both buffers are direct, in native order, and reused: they are valid until the next call.
 */
public abstract sealed class BatchReader permits ImageReader, SequenceReader {
  private final int batchSize;
  private final ByteBuffer inputs;
  private final ByteBuffer labels;

  /** For so many examples at most, each of so many inputs and labels. */
  BatchReader(int batchSize, int inputSize, int labelSize) {
    this.batchSize = batchSize;
    this.inputs = floats(Math.multiplyExact(batchSize, inputSize));
    this.labels = floats(Math.multiplyExact(batchSize, labelSize));
  }

  private static ByteBuffer floats(int count) {
    return ByteBuffer.allocateDirect(Math.multiplyExact(count, Float.BYTES))
        .order(ByteOrder.nativeOrder());
  }

  /**
   * Reads training batches; images are augmented, if they are, as a function of seed, step and
   * index.
   */
  public static BatchReader training(Dataset data, int batchSize, boolean augment, long seed) {
    return data.train() instanceof Images images
        ? new ImageReader(images, Normalization.of(images), augment, batchSize, seed)
        : new SequenceReader((Sequences) data.train(), batchSize);
  }

  /** Reads validation batches, never augmented. */
  public static BatchReader validation(Dataset data, int batchSize) {
    return evaluation(data, data.validation(), batchSize);
  }

  /** Reads examples of a data set, images standardised as those of training, never augmented. */
  public static BatchReader evaluation(Dataset data, Examples examples, int batchSize) {
    return examples instanceof Images images
        ? new ImageReader(images, Normalization.of((Images) data.train()), false, batchSize, 0)
        : new SequenceReader((Sequences) examples, batchSize);
  }

  /**
   * The same images as brightness from 0 to 1, not standardised, never augmented.
   *
   * @throws UnsupportedOperationException if the examples are no images
   */
  public BatchReader asBrightness() {
    throw new UnsupportedOperationException("only images have brightness");
  }

  /** Fills the buffers with the examples at {@code indices}, in that order. */
  public final void read(int[] indices, long step) {
    read(indices, 0, indices.length, step);
  }

  /** Reads a part of a batch, with the values that {@link #read(int[], long)} gives for it. */
  public final void read(int[] indices, int start, int end, long step) {
    FloatBuffer inputValues = inputs.clear().asFloatBuffer();
    FloatBuffer labelValues = labels.clear().asFloatBuffer();
    fill(indices, start, end, step, inputValues, labelValues);
    inputs.limit(inputValues.position() * Float.BYTES);
    labels.limit(labelValues.position() * Float.BYTES);
  }

  /** Puts the values of the examples at {@code indices[start]} to {@code indices[end - 1]}. */
  abstract void fill(
      int[] indices, int start, int end, long step, FloatBuffer inputs, FloatBuffer labels);

  final int batchSize() {
    return batchSize;
  }

  /** What the network gets in the last {@link #read}: [examples, ...]. */
  public final ByteBuffer inputs() {
    return inputs;
  }

  /** Class indices, as floats, of the last {@link #read}: [examples] or [examples, length]. */
  public final ByteBuffer labels() {
    return labels;
  }
}
