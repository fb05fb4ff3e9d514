package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.tensor.Tensor;
import java.util.List;

/** {@code G^-1 dW A^-1} of one layer. */
final class PreconditionWork implements Work {
  private final Backend backend;
  private final TensorMemory memory;
  private final Tensor result;
  private final PreconditionRequest step;

  PreconditionWork(Backend backend, TensorMemory memory, PreconditionCase c, long seed) {
    this.backend = backend;
    this.memory = memory;
    Inputs inputs = new Inputs(seed);
    Tensor gradient = memory.tensor(inputs.uniform(2, c.out() * c.in()), c.out(), c.in());
    this.result = memory.tensor(new float[c.out() * c.in()], c.out(), c.in());
    this.step =
        new PreconditionRequest(
            KfacContender.stack(backend, inputs.factor(0, c.out()), c.out(), c.out()),
            KfacContender.stack(backend, inputs.factor(1, c.in()), c.in(), c.in()),
            1,
            new Gradient(gradient, null),
            new Gradient(result, null));
  }

  @Override
  public void run() {
    backend.precondition(List.of(step));
  }

  @Override
  public float[] result(int index) {
    return memory.read(result);
  }

  @Override
  public void close() {
    step.gInverse().close();
    step.aInverse().close();
  }
}
