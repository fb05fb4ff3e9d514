package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.Tensor;

/** Vectors across channels: data {@code [examples, groups * width, positions]}. */
final class ChannelMatrix extends SampleMatrix {
  /** With fewer positions, a panel over several examples beats an update for each. */
  private static final int MIN_POSITIONS = 32;

  private final Source source;
  private final int positions;
  private final int groups;
  private final int width;

  ChannelMatrix(Tensor data, int examples, int positions, int groups, int width, boolean bias) {
    super((long) examples * positions, bias ? width + 1 : width);
    this.source = Source.of(data);
    this.positions = positions;
    this.groups = groups;
    this.width = width;
  }

  private boolean inPlace(int to) {
    return source.inPlace() && to <= width;
  }

  @Override
  public int step(long row, long limit, int from, int to) {
    return inPlace(to) && positions >= MIN_POSITIONS
        ? (int) Math.min(limit, positions - row % positions)
        : gatheredStep(limit, from, to);
  }

  @Override
  public Panel load(int group, long row, int count, int from, int to, Arena scratch) {
    int position = (int) (row % positions);
    int coordinates = to - from;
    if (inPlace(to) && position + count <= positions) {
      Floats view = source.view(start(row / positions, group, from) + position, 0, scratch);
      return new Panel(view, positions, true, count, coordinates);
    }
    Floats panel = scratch.take((long) count * coordinates);
    int copied = Math.min(to, width) - from;
    for (int done = 0; done < count; ) {
      long example = (row + done) / positions;
      int first = (int) ((row + done) % positions);
      int n = Math.min(count - done, positions - first);
      for (int c = 0; c < copied; c++) {
        long at = start(example, group, from + c) + first;
        source.copyTo(panel.plus((long) c * count + done), at, n);
      }
      done += n;
    }
    if (to > width) {
      panel.plus((long) copied * count).fill(count, 1);
    }
    return new Panel(panel, count, true, count, coordinates);
  }

  private long start(long example, int group, int channel) {
    return ((example * groups + group) * width + channel) * positions;
  }
}
