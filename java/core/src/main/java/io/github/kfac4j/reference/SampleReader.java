package io.github.kfac4j.reference;

import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;

/** Reads samples as fp64 rows, whatever their kind. */
final class SampleReader {
  private final Samples samples;
  private final double[] data;
  private final List<SampleReader> parts;

  SampleReader(Samples samples) {
    this.samples = samples;
    // rows are read as they are needed
    boolean scattered = samples instanceof ChannelSamples || samples instanceof PatchSamples;
    this.data = scattered ? ((HostTensor) samples.data()).toArray() : null;
    this.parts =
        samples instanceof JointSamples s
            ? s.parts().stream().map(SampleReader::new).toList()
            : List.of();
  }

  /** Writes rows {@code [first, first + count)} of a group to {@code out}, {@code dim} apart. */
  void read(int group, long first, int count, double[] out) {
    int dim = samples.dim();
    int positions = samples.positions();
    Parallel.chunks(
        count,
        4 * dim,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long row = first + r;
            read(group, (int) (row / positions), (int) (row % positions), out, r * dim);
          }
        });
  }

  private void read(int group, int example, int position, double[] out, int at) {
    if (samples instanceof RowSamples s) {
      readRow(s, group, example * s.positions() + position, out, at);
    } else if (samples instanceof ChannelSamples s) {
      readChannels(s, group, example, position, out, at);
    } else if (samples instanceof PatchSamples s) {
      readPatch(s, group, example, position, out, at);
    } else {
      int rest = position;
      for (SampleReader part : parts) {
        int positions = part.samples.positions();
        if (rest < positions) {
          part.read(group, example, rest, out, at);
          return;
        }
        rest -= positions;
      }
    }
  }

  private void readRow(RowSamples s, int group, int row, double[] out, int at) {
    HostTensor tensor = (HostTensor) s.data();
    tensor.read((row * s.groups() + group) * s.width(), out, at, s.width());
    if (s.bias()) {
      out[at + s.width()] = 1;
    }
  }

  private void readChannels(
      ChannelSamples s, int group, int example, int position, double[] out, int at) {
    int start = (example * s.groups() + group) * s.dim() * s.positions() + position;
    for (int c = 0; c < s.dim(); c++) {
      out[at + c] = data[start + c * s.positions()];
    }
  }

  private void readPatch(
      PatchSamples s, int group, int example, int position, double[] out, int at) {
    Window w = s.window();
    int top = position / s.outputWidth() * w.strideHeight() - w.paddingHeight();
    int left = position % s.outputWidth() * w.strideWidth() - w.paddingWidth();
    int channels = s.groupChannels();
    for (int c = 0; c < channels; c++) {
      int channel = group * channels + c;
      for (int kh = 0; kh < w.kernelHeight(); kh++) {
        int y = top + kh * w.dilationHeight();
        for (int kw = 0; kw < w.kernelWidth(); kw++) {
          int x = left + kw * w.dilationWidth();
          boolean inside = y >= 0 && y < s.height() && x >= 0 && x < s.width();
          out[at++] = inside ? data[index(s, example, channel, y, x)] : 0;
        }
      }
    }
    if (s.bias()) {
      out[at] = 1;
    }
  }

  private static int index(PatchSamples s, int example, int channel, int y, int x) {
    return s.layout() == ImageLayout.NCHW
        ? ((example * s.channels() + channel) * s.height() + y) * s.width() + x
        : ((example * s.height() + y) * s.width() + x) * s.channels() + channel;
  }
}
