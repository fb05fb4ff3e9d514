package io.github.kfac4j.cpu.elementwise;

import io.github.kfac4j.cpu.matrix.Source;
import io.github.kfac4j.cpu.memory.Floats;
import io.github.kfac4j.cpu.scheduling.Stages;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;

/** One pass over a tensor, cut into chunks. */
abstract class TensorPass extends Stages {
  /** Elements of one task. */
  private static final int CHUNK = 1 << 18;

  /** Elements that are copied at a time. */
  private static final int PIECE = 1 << 12;

  /** How many chunks there are. */
  final int chunks;

  TensorPass(Tensor tensor) {
    Source source = Source.of(tensor);
    HostTensor host = (HostTensor) tensor;
    int size = host.size();
    chunks = (int) (((long) size + CHUNK - 1) / CHUNK);
    add(
        chunks,
        chunk -> {
          int from = chunk * CHUNK;
          int to = (int) Math.min(size, (long) from + CHUNK);
          if (source.inPlace()) {
            visit(chunk, source.view(0, 0, null), from, to);
          } else {
            visit(chunk, host, from, to);
          }
        });
  }

  /** Elements [from, to) of memory outside the heap. */
  abstract void visit(int chunk, Floats values, int from, int to);

  /** Elements [from, to) of a tensor that lies elsewhere, has strides, or is of fp64. */
  abstract void visit(int chunk, HostTensor values, int from, int to);

  /** Takes elements from an index on. */
  interface Piece {
    void take(double[] values, int start, int count);
  }

  /** Copies elements [from, to) piece by piece. */
  static void pieces(HostTensor tensor, int from, int to, Piece piece) {
    double[] values = new double[Math.min(PIECE, to - from)];
    for (int start = from; start < to; start += PIECE) {
      int count = Math.min(PIECE, to - start);
      tensor.read(start, values, 0, count);
      piece.take(values, start, count);
    }
  }
}
