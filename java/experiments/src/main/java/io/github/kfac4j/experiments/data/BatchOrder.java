package io.github.kfac4j.experiments.data;

import java.util.Arrays;

/**
 * Which images make up the batch of each step: every epoch a new permutation, cut into full batches
 * (a last incomplete one is left out). A pure function of seed and step, so that a resumed run sees
 * the same batches without any saved state.
 */
public final class BatchOrder {
  private final int count;
  private final int batchSize;
  private final long seed;
  private long cachedEpoch = -1;
  private int[] permutation;

  /** Batches of {@code batchSize} out of {@code count} images. */
  public BatchOrder(int count, int batchSize, long seed) {
    if (batchSize < 1 || batchSize > count) {
      throw new IllegalArgumentException(
          "a batch of %d out of %d images".formatted(batchSize, count));
    }
    this.count = count;
    this.batchSize = batchSize;
    this.seed = seed;
  }

  /** Full batches per epoch. */
  public int batchesPerEpoch() {
    return count / batchSize;
  }

  /** The epoch, from 0, to which step {@code step}, from 0, belongs. */
  public long epoch(long step) {
    return step / batchesPerEpoch();
  }

  /** Indices of the images of step {@code step}, counted from 0. */
  public int[] indices(long step) {
    long epoch = epoch(step);
    if (epoch != cachedEpoch) {
      permutation = permutation(epoch);
      cachedEpoch = epoch;
    }
    int from = (int) (step % batchesPerEpoch()) * batchSize;
    return Arrays.copyOfRange(permutation, from, from + batchSize);
  }

  private int[] permutation(long epoch) {
    SplitMix64 random = new SplitMix64(seed, epoch);
    int[] order = new int[count];
    for (int i = 0; i < count; i++) { // Fisher-Yates, inside out
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
