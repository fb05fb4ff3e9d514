package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.tensor.Tensor;

/** Vectors that lie as rows: data {@code [rows, groups * width]}. */
final class RowMatrix extends SampleMatrix {
  private final Source source;
  private final int groups;
  private final int width;

  RowMatrix(Tensor data, long rows, int groups, int width, boolean bias) {
    super(rows, bias ? width + 1 : width);
    this.source = Source.of(data);
    this.groups = groups;
    this.width = width;
  }

  @Override
  public int tile() {
    return source.inPlace() ? 512 : super.tile();
  }

  @Override
  public Panel whole(int group) {
    int stride = groups * width;
    return source.inPlace()
        ? new Panel(source.view((long) group * width, 0, null), stride, false, (int) rows, width)
        : null;
  }

  private boolean inPlace(int to) {
    return source.inPlace() && to <= width;
  }

  @Override
  public int step(long row, long limit, int from, int to) {
    return inPlace(to) ? (int) Math.min(limit, Integer.MAX_VALUE) : gatheredStep(limit, from, to);
  }

  @Override
  public Panel load(int group, long row, int count, int from, int to, Arena scratch) {
    int stride = groups * width;
    long first = row * stride + (long) group * width + from;
    int coordinates = to - from;
    if (inPlace(to)) {
      return new Panel(source.view(first, 0, scratch), stride, false, count, coordinates);
    }
    Floats copy = scratch.take((long) count * coordinates);
    int copied = Math.min(to, width) - from;
    for (int r = 0; r < count; r++) {
      Floats target = copy.plus((long) r * coordinates);
      source.copyTo(target, first + (long) r * stride, copied);
      if (to > width) {
        target.put(copied, 1);
      }
    }
    return new Panel(copy, coordinates, false, count, coordinates);
  }
}
