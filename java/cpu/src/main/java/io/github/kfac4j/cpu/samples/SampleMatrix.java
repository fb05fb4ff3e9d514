package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;

/** Samples as matrices for BLAS: one of {@code rows x dim} for each group, read panel by panel. */
public abstract class SampleMatrix {
  /** The most elements of a panel that has to be gathered: 4 MiB. */
  public static final int PANEL_LIMIT = 1 << 20;

  public final long rows;
  public final int dim;

  SampleMatrix(long rows, int dim) {
    this.rows = rows;
    this.dim = dim;
  }

  /** The simplest form of the samples. */
  public static SampleMatrix of(Samples samples) {
    if (samples instanceof JointSamples s) {
      return new JointMatrix(s);
    }
    if (samples instanceof RowSamples s) {
      return new RowMatrix(s.data(), s.rows(), s.groups(), s.width(), s.bias());
    }
    if (samples instanceof ChannelSamples s) {
      return channels(s, s.dim(), false);
    }
    PatchSamples s = (PatchSamples) samples;
    if (!s.window().equals(Window.of(1, 1))) {
      return new PatchMatrix(s);
    }
    return s.layout() == ImageLayout.NCHW
        ? channels(s, s.groupChannels(), s.bias())
        : new RowMatrix(s.data(), s.rows(), s.groups(), s.groupChannels(), s.bias());
  }

  private static SampleMatrix channels(Samples s, int width, boolean bias) {
    return s.positions() == 1
        ? new RowMatrix(s.data(), s.rows(), s.groups(), width, bias)
        : new ChannelMatrix(s.data(), s.examples(), s.positions(), s.groups(), width, bias);
  }

  /** How many rows to load at once, {@code limit} at most, from {@code row} on. */
  public abstract int step(long row, long limit, int from, int to);

  /**
   * Rows {@code [row, row + count)} and coordinates {@code [from, to)} of a group: in place where
   * possible, else in scratch memory.
   */
  public abstract Panel load(int group, long row, int count, int from, int to, Arena scratch);

  /** All samples of a group without the bias coordinate if they lie in place, else null. */
  public Panel whole(int group) {
    return null;
  }

  /** The side of the tiles into which a wide moment is cut. */
  public int tile() {
    // a gathered coordinate should serve many products
    return 1024;
  }

  /** The step that keeps a gathered panel within its limit. */
  public static int gatheredStep(long limit, int from, int to) {
    return (int) Math.min(limit, Math.max(1, PANEL_LIMIT / (to - from)));
  }
}
