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

  /** Elements [from, to) of a tensor that lies elsewhere, or is of fp64. */
  abstract void visit(int chunk, HostTensor values, int from, int to);
}
