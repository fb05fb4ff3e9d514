package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.Samples;
import java.util.List;

/** Several uses of a layer: the rows of an example are those of all parts in turn. */
final class JointMatrix extends SampleMatrix {
  private final List<SampleMatrix> parts;
  private final int[] ends;
  private final int positions;

  JointMatrix(JointSamples samples) {
    super(samples.rows(), samples.dim());
    this.parts = samples.parts().stream().map(SampleMatrix::of).toList();
    this.ends = new int[parts.size()];
    int end = 0;
    for (int i = 0; i < ends.length; i++) {
      Samples part = samples.parts().get(i);
      end += part.positions();
      ends[i] = end;
    }
    this.positions = end;
  }

  @Override
  public int step(long row, long limit, int from, int to) {
    return gatheredStep(limit, from, to);
  }

  @Override
  public Panel load(int group, long row, int count, int from, int to, Arena scratch) {
    Floats panel = scratch.take((long) count * (to - from));
    for (int done = 0; done < count; ) {
      long example = (row + done) / positions;
      int position = (int) ((row + done) % positions);
      int part = 0;
      while (ends[part] <= position) {
        part++;
      }
      int start = part == 0 ? 0 : ends[part - 1];
      int length = Math.min(count - done, ends[part] - position);
      long first = example * (ends[part] - start) + position - start;
      long mark = scratch.mark();
      Panel rows = parts.get(part).load(group, first, length, from, to, scratch);
      copy(rows, panel.plus(done), count);
      scratch.reset(mark);
      done += length;
    }
    return new Panel(panel, count, true, count, to - from);
  }

  /** Copies coordinate by coordinate. */
  private static void copy(Panel rows, Floats target, int stride) {
    for (int c = 0; c < rows.width(); c++) {
      Floats to = target.plus((long) c * stride);
      if (rows.byCoordinate()) {
        to.copy(rows.data().plus((long) c * rows.stride()), rows.count());
      } else {
        for (int r = 0; r < rows.count(); r++) {
          to.put(r, rows.data().get(r * rows.stride() + c));
        }
      }
    }
  }
}
