package io.github.kfac4j.cpu.samples;

import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Window;
import java.nio.FloatBuffer;

/** Patches of images, gathered coordinate by coordinate, so that most copies are contiguous. */
final class PatchMatrix extends SampleMatrix {
  private final PatchSamples samples;
  private final Window window;
  private final Source source;
  private final int outputWidth;
  private final int positions;

  /** For each kernel column the output columns that see the image: {@code [inside, end)}. */
  private final int[] inside;

  private final int[] end;

  PatchMatrix(PatchSamples samples) {
    super(samples.rows(), samples.dim());
    this.samples = samples;
    this.window = samples.window();
    this.source = Source.of(samples.data());
    this.outputWidth = samples.outputWidth();
    this.positions = samples.positions();
    this.inside = new int[window.kernelWidth()];
    this.end = new int[window.kernelWidth()];
    for (int kx = 0; kx < inside.length; kx++) {
      int shift = kx * window.dilationWidth() - window.paddingWidth();
      inside[kx] = clamp(ceilDiv(-shift, window.strideWidth()));
      end[kx] = Math.max(inside[kx], clamp(ceilDiv(samples.width() - shift, window.strideWidth())));
    }
  }

  private static int ceilDiv(int a, int b) {
    return -Math.floorDiv(-a, b);
  }

  private int clamp(int column) {
    return Math.max(0, Math.min(outputWidth, column));
  }

  @Override
  public int step(long row, long limit, int from, int to) {
    return gatheredStep(limit, from, to);
  }

  @Override
  public Panel load(int group, long row, int count, int from, int to, Arena scratch) {
    Floats panel = scratch.take((long) count * (to - from));
    boolean nchw = samples.layout() == ImageLayout.NCHW;
    int area = samples.height() * samples.width();
    int imageSize = area * (nchw ? samples.groupChannels() : samples.channels());
    for (int done = 0; done < count; ) {
      long example = (row + done) / positions;
      int first = (int) ((row + done) % positions);
      int last = Math.min(positions, first + count - done);
      long start = example * samples.channels() * area;
      if (nchw) {
        start += (long) group * imageSize;
      }
      long mark = scratch.mark();
      Floats image = source.view(start, imageSize, scratch);
      for (int coordinate = from; coordinate < to; coordinate++) {
        Floats target = panel.plus((long) (coordinate - from) * count + done);
        gather(image, group, coordinate, first, last, target);
      }
      scratch.reset(mark);
      done += last - first;
    }
    return new Panel(panel, count, true, count, to - from);
  }

  /** One coordinate of the patches at positions {@code [first, last)} of one image. */
  private void gather(Floats image, int group, int coordinate, int first, int last, Floats target) {
    int area = window.kernelHeight() * window.kernelWidth();
    int channel = coordinate / area;
    if (channel == samples.groupChannels()) {
      target.fill(last - first, 1);
      return;
    }
    int ky = coordinate % area / window.kernelWidth();
    int kx = coordinate % window.kernelWidth();
    boolean nchw = samples.layout() == ImageLayout.NCHW;
    int pixel = nchw ? 1 : samples.channels();
    int channelStart =
        nchw
            ? channel * samples.height() * samples.width()
            : group * samples.groupChannels() + channel;
    int shift = kx * window.dilationWidth() - window.paddingWidth();
    FloatBuffer out = target.buffer();
    int at = target.start();
    for (int position = first; position < last; ) {
      int line = position / outputWidth;
      int from = position % outputWidth;
      int to = Math.min(outputWidth, from + last - position);
      int y = line * window.strideHeight() + ky * window.dilationHeight() - window.paddingHeight();
      boolean empty = y < 0 || y >= samples.height();
      int zerosEnd = empty ? to : Math.max(from, Math.min(to, inside[kx]));
      int copyEnd = empty ? to : Math.max(zerosEnd, Math.min(to, end[kx]));
      int column = from;
      for (; column < zerosEnd; column++) {
        out.put(at++, 0);
      }
      if (column < copyEnd) {
        int x = column * window.strideWidth() + shift;
        int source = image.start() + channelStart + (y * samples.width() + x) * pixel;
        copy(image.buffer(), source, window.strideWidth() * pixel, out, at, copyEnd - column);
        at += copyEnd - column;
      }
      for (column = copyEnd; column < to; column++) {
        out.put(at++, 0);
      }
      position += to - from;
    }
  }

  private static void copy(
      FloatBuffer from, int start, int stride, FloatBuffer to, int at, int count) {
    if (stride == 1) {
      to.put(at, from, start, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to.put(at + i, from.get(start + i * stride));
    }
  }
}
