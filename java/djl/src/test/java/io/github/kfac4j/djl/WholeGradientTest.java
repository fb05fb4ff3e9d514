package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.HostTensor;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is preconditioned is the gradient that the optimizer would have seen, whatever it holds
 * besides the outer products of the batch: {@code G^-1 dW A^-1} of just this dW.
 */
class WholeGradientTest {
  private static final int N = 8;
  private static final int IN = 300;
  private static final int OUT = 200;

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  static Stream<Arguments> cases() {
    return DoubleStream.of(1, 1e-2, 1e-4, 1e-6)
        .boxed()
        .flatMap(
            damping ->
                Stream.of(
                    Arguments.of(damping, 0, 1, 0),
                    Arguments.of(damping, 1e-7, 1, 0),
                    Arguments.of(damping, 1e-4, 1, 0),
                    Arguments.of(damping, 1, 1, 0),
                    Arguments.of(damping, 0, 0.999, 0),
                    Arguments.of(damping, 0, 1, 1e-5)));
  }

  @ParameterizedTest(name = "damping {0}, {1}/2 |W|^2, times {2}, noise {3}")
  @MethodSource("cases")
  void itIsPreconditionedAsItIs(double damping, double c, double scale, double noise) {
    KfacOptions options = KfacOptions.DEFAULT.withoutKlClip().withDamping(damping);
    Linear linear = Linear.builder().setUnits(OUT).optBias(false).build();
    try (Model model = Nets.model(linear);
        DjlKfac kfac = DjlKfac.attach(model, options, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0.1f))) {
      trainer.initialize(new Shape(N, IN));
      Parameter weight = linear.getDirectParameters().get("weight");
      NDArray x = trainer.getManager().randomNormal(new Shape(N, IN));
      NDArray ds = trainer.getManager().randomNormal(new Shape(N, OUT));
      try (GradientCollector collector = trainer.newGradientCollector()) {
        NDArray y = trainer.forward(new NDList(x)).head();
        NDArray l2 = weight.getArray().square().sum().mul(c / 2);
        collector.backward(y.mul(ds).sum().div(N).add(l2));
      }
      try (NDArray gradient = weight.getArray().getGradient()) {
        gradient.muli(scale);
        gradient.addi(trainer.getManager().randomNormal(gradient.getShape()).mul(noise));
      }
      float[] expected = Nets.gradient(weight);
      kfac.precondition();
      precondition(options, x, ds, expected);
      float[] actual = Nets.gradient(weight);
      double error = 0;
      double norm = 0;
      for (int i = 0; i < actual.length; i++) {
        error += Math.pow((double) actual[i] - expected[i], 2);
        norm += Math.pow(expected[i], 2);
      }
      assertThat(Math.sqrt(error / norm)).isLessThan(1e-4);
    }
  }

  /** By the library alone, on the gradient and what the layer saw. */
  private void precondition(KfacOptions options, NDArray x, NDArray ds, float[] gradient) {
    Observation seen =
        Observation.ofSumLoss(
            "fc", HostTensor.of(x.toFloatArray(), N, IN), HostTensor.of(ds.toFloatArray(), N, OUT));
    HostTensor weight = HostTensor.of(gradient, OUT, IN);
    try (Kfac plain = new Kfac(backend, Map.of("fc", new Dense(IN, OUT, false)), options)) {
      plain.observe(List.of(seen));
      plain.refresh();
      plain.precondition(List.of(new LayerGradient("fc", weight)));
    }
  }
}
