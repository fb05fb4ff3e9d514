package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import java.util.List;

/** One factor from one batch. */
final class MomentWork implements Work {
  private final Backend backend;
  private final MatrixStack factor;
  private final List<AccumulateRequest> moments;

  MomentWork(Backend backend, TensorMemory memory, ConvCase c, long seed) {
    this(
        backend,
        c.patches(
            memory.tensor(new Inputs(seed).uniform(0, c.elements()), c.shape()), c.examples()));
  }

  MomentWork(Backend backend, TensorMemory memory, DenseCase c, long seed) {
    this(
        backend,
        new RowSamples(
            memory.tensor(new Inputs(seed).uniform(0, c.rows() * c.width()), c.rows(), c.width()),
            c.rows(),
            1,
            1,
            c.width(),
            c.bias()));
  }

  private MomentWork(Backend backend, Samples samples) {
    this.backend = backend;
    this.factor = backend.allocate(1, samples.dim(), samples.dim());
    this.moments = List.of(new AccumulateRequest(factor, 0, 1.0 / samples.examples(), samples));
  }

  @Override
  public void run() {
    backend.accumulate(moments);
  }

  @Override
  public float[] result(int index) {
    return KfacContender.narrowed(factor.toArray());
  }

  @Override
  public void close() {
    factor.close();
  }
}
