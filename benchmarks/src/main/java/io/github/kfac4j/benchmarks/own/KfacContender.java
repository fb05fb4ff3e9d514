package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;

/** A backend of this library. */
public final class KfacContender implements Contender {
  private final Backend backend;
  private final TensorMemory memory;

  /** A backend and where its tensors live; it closes both. */
  public KfacContender(Backend backend, TensorMemory memory) {
    this.backend = backend;
    this.memory = memory;
  }

  @Override
  public String name() {
    return backend.name();
  }

  @Override
  public String version() {
    return "kfac4j";
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (c instanceof ConvCase conv) {
      return conv.verb().equals(Case.PATCHES)
          ? new PatchWork(backend, memory, conv, seed)
          : new MomentWork(backend, memory, conv, seed);
    }
    if (c instanceof DenseCase dense) {
      return new MomentWork(backend, memory, dense, seed);
    }
    if (c instanceof InverseCase inverse) {
      return new InverseWork(backend, inverse, seed);
    }
    if (c instanceof PreconditionCase precondition) {
      return new PreconditionWork(backend, memory, precondition, seed);
    }
    NetworkCase network = (NetworkCase) c;
    return switch (c.verb()) {
      case Case.STEP -> new StepWork(backend, memory, network, seed);
      case Case.TRAINING -> new TrainingWork(backend, network, seed);
      default -> new NetworkPreconditionWork(backend, memory, network, seed);
    };
  }

  @Override
  public void close() {
    backend.close();
    memory.close();
  }

  /** A stack of one matrix with this content. */
  static MatrixStack stack(Backend backend, float[] data, int rows, int cols) {
    MatrixStack stack = backend.allocate(1, rows, cols);
    stack.set(widened(data));
    return stack;
  }

  static double[] widened(float[] data) {
    double[] wide = new double[data.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = data[i];
    }
    return wide;
  }

  static float[] narrowed(double[] data) {
    float[] narrow = new float[data.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) data[i];
    }
    return narrow;
  }
}
