package io.github.kfac4j.benchmarks.own;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.run.Work;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Damped inverses: equal matrices as one stack, the factors of a network as one stack each. */
final class InverseWork implements Work {
  private final Backend backend;
  private final List<InvertRequest> inversions = new ArrayList<>();
  private List<Status[]> statuses;

  InverseWork(Backend backend, InverseCase c, long seed) {
    this.backend = backend;
    Inputs inputs = new Inputs(seed);
    List<Integer> sizes = c.sizes();
    if (c.network() == null) {
      double[] all = new double[c.count() * c.n() * c.n()];
      for (int k = 0; k < c.count(); k++) {
        copy(inputs.factor(k, c.n()), all, k * c.n() * c.n());
      }
      add(all, c.count(), c.n());
    } else {
      for (int k = 0; k < sizes.size(); k++) {
        add(KfacContender.widened(inputs.factor(k, sizes.get(k))), 1, sizes.get(k));
      }
    }
  }

  private static void copy(float[] from, double[] to, int offset) {
    for (int i = 0; i < from.length; i++) {
      to[offset + i] = from[i];
    }
  }

  private void add(double[] factors, int count, int n) {
    MatrixStack source = backend.allocate(count, n, n);
    source.set(factors);
    double[] damping = new double[count];
    Arrays.fill(damping, InverseCase.DAMPING);
    inversions.add(new InvertRequest(source, 1, damping, backend.allocate(count, n, n)));
  }

  @Override
  public void run() {
    statuses = backend.invert(inversions);
  }

  @Override
  public float[] result(int index) {
    for (Status[] status : statuses) {
      for (Status s : status) {
        if (!s.ok()) {
          throw new IllegalStateException("an inversion failed: " + s);
        }
      }
    }
    if (inversions.size() > 1) {
      return KfacContender.narrowed(inversions.get(index).inverse().toArray());
    }
    MatrixStack inverses = inversions.get(0).inverse();
    int size = inverses.rows() * inverses.cols();
    double[] all = inverses.toArray();
    return KfacContender.narrowed(Arrays.copyOfRange(all, index * size, (index + 1) * size));
  }

  @Override
  public void close() {
    for (InvertRequest inversion : inversions) {
      inversion.source().close();
      inversion.inverse().close();
    }
  }
}
