package io.github.kfac4j.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.fisher.Fisher;
import io.github.kfac4j.fisher.OutputLoss;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.trainer.DampingRule;
import io.github.kfac4j.trainer.DampingRule.LevenbergMarquardt;
import io.github.kfac4j.trainer.OptimizerReport;
import io.github.kfac4j.trainer.Rates;
import io.github.kfac4j.trainer.Rates.Memory;
import io.github.kfac4j.trainer.Rates.Order;
import io.github.kfac4j.trainer.Schedule;
import io.github.kfac4j.trainer.UpdateRule;
import io.github.kfac4j.trainer.WeightDecay;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DjlKfacOptimizerTest {
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT.withIntervals(2, 4);
  private static final Loss LOSS = Loss.softmaxCrossEntropyLoss();
  private static final UpdateRule RULE = UpdateRule.of(0.02, 0.9, 0.03);

  /** Every kind of schedule. */
  private static final UpdateRule SCHEDULED =
      RULE.withRates(
              new Rates.Scheduled(
                  Schedule.polynomial(0.03, 4, 100, 2),
                  Schedule.piecewise(Map.of(0L, 0.5, 3L, 0.9)),
                  Memory.UPDATE,
                  Order.PRECONDITION_FIRST))
          .withDamping(new DampingRule.Scheduled(Schedule.linear(0.1, 0.2, 10)));

  private final Backend backend = Backends.require("java");

  @AfterEach
  void close() {
    backend.close();
  }

  static Stream<UpdateRule> rules() {
    Schedule rate = Schedule.constant(0.02);
    return Stream.of(
        RULE,
        RULE.withRates(
            new Rates.Scheduled(
                rate, Schedule.constant(0.9), Memory.VELOCITY, Order.MOMENTUM_FIRST)),
        RULE.withWeightDecay(new WeightDecay(WeightDecay.Mode.L2, 1e-3)),
        SCHEDULED,
        RULE.withRates(Rates.quadraticMinimumWithMomentum())
            .withDamping(new LevenbergMarquardt(1, 5, 0.95, 1e-8, 1e3, 4)));
  }

  private static OptimizerReport step(Trainer trainer, DjlKfacOptimizer optimizer, long seed) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      NDList data = Nets.images(batch, seed);
      Nets.pass(trainer, data);
      return optimizer.step(new NDList(data.get(0)), new NDList(data.get(1)));
    }
  }

  private static float loss(Trainer trainer, long seed) {
    try (NDManager batch = trainer.getManager().newSubManager()) {
      NDList data = Nets.images(batch, seed);
      NDList output = trainer.evaluate(new NDList(data.get(0)));
      return LOSS.evaluate(new NDList(data.get(1)), output).getFloat();
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void lossFalls(UpdateRule rule) {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.monteCarlo(1), backend);
        Trainer trainer = model.newTrainer(Nets.config(0))) {
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer = new DjlKfacOptimizer(kfac, rule, LOSS, OutputLoss.SOFTMAX);
      float first = loss(trainer, 99);
      for (int step = 0; step < 40; step++) {
        step(trainer, optimizer, step);
      }
      assertThat(first).isGreaterThan(0.8f);
      assertThat(loss(trainer, 99)).isLessThan(0.3f);
      assertThat(optimizer.steps()).isEqualTo(40);
      assertThat(kfac.lastReport().orElseThrow().step()).isEqualTo(40);
    }
  }

  /** The rule with constant settings is DJL's own SGD after preconditioning. */
  @Test
  void constantRatesAreSgdWithMomentum() {
    float[][] weights = new float[2][];
    for (int own = 0; own < 2; own++) {
      try (Model model = Nets.model(Nets.cnn());
          DjlKfac kfac =
              DjlKfac.attach(model, OPTIONS.withDamping(0.03), Fisher.EMPIRICAL, backend);
          Trainer trainer = model.newTrainer(Nets.config(0.02f, 0.9f))) {
        trainer.initialize(Nets.IMAGES);
        DjlKfacOptimizer optimizer = new DjlKfacOptimizer(kfac, RULE, LOSS, OutputLoss.SOFTMAX);
        for (int step = 0; step < 6; step++) {
          if (own == 1) {
            step(trainer, optimizer, step);
          } else {
            try (NDManager batch = trainer.getManager().newSubManager()) {
              Nets.pass(trainer, Nets.images(batch, step));
              kfac.precondition();
              trainer.step();
            }
          }
        }
        weights[own] = Nets.weights(model).get("04Linear_weight");
      }
    }
    for (int i = 0; i < weights[0].length; i++) {
      assertThat(weights[1][i]).isCloseTo(weights[0][i], within(1e-5f));
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aSavedOptimizerContinuesBitByBit(UpdateRule rule) {
    Map<String, StoredTensor> kfacState = Map.of();
    Map<String, StoredTensor> state = Map.of();
    Map<String, float[]> weights = new LinkedHashMap<>();
    Map<String, float[]> ends = Map.of();
    for (int part = 0; part < 2; part++) {
      try (Model model = Nets.model(Nets.cnn());
          DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
          Trainer trainer = model.newTrainer(Nets.config(0))) {
        trainer.initialize(Nets.IMAGES);
        DjlKfacOptimizer optimizer = new DjlKfacOptimizer(kfac, rule, LOSS, OutputLoss.SOFTMAX);
        if (part == 1) {
          ((Kfac) kfac.kfac()).state().restore(kfacState);
          optimizer.restore(state);
          optimizer.weights().forEach((name, w) -> w.floats().put(weights.get(name)));
        }
        for (int step = part == 0 ? 0 : 7; step < 14; step++) {
          if (step == 7 && part == 0) {
            kfacState = ((Kfac) kfac.kfac()).state().toTensors();
            state = optimizer.toTensors();
            weights.putAll(Nets.weights(model));
          }
          step(trainer, optimizer, step);
        }
        if (part == 0) {
          ends = Nets.weights(model);
        } else {
          Map<String, float[]> expected = ends;
          Nets.weights(model).forEach((name, w) -> assertThat(w).isEqualTo(expected.get(name)));
        }
      }
    }
  }

  @Test
  void schedulesReachKfac() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0))) {
      trainer.initialize(Nets.IMAGES);
      DjlKfacOptimizer optimizer = new DjlKfacOptimizer(kfac, SCHEDULED, LOSS, OutputLoss.SOFTMAX);
      for (int step = 0; step < 8; step++) {
        OptimizerReport report = step(trainer, optimizer, step);
        double damping = 0.1 * (1 - 0.08 * step);
        double rate = 0.03 * (step < 4 ? 1 : Math.pow(1 - (step - 4) / 96.0, 2));
        assertThat(report.damping()).isCloseTo(damping, within(1e-12));
        assertThat(kfac.kfac().options().damping()).isCloseTo(damping, within(1e-12));
        assertThat(report.learningRate()).isCloseTo(rate, within(1e-12));
        assertThat(report.momentum()).isEqualTo(step < 3 ? 0.5 : 0.9);
      }
    }
  }

  @Test
  void aStepWithoutABackwardPassIsRefused() {
    try (Model model = Nets.model(Nets.cnn());
        DjlKfac kfac = DjlKfac.attach(model, OPTIONS, Fisher.EMPIRICAL, backend);
        Trainer trainer = model.newTrainer(Nets.config(0))) {
      DjlKfacOptimizer optimizer = new DjlKfacOptimizer(kfac, RULE, LOSS, OutputLoss.SOFTMAX);
      assertThatIllegalStateException()
          .isThrownBy(() -> optimizer.restore(Map.of()))
          .withMessageContaining("initialize the model first");
      trainer.initialize(Nets.IMAGES);
      assertThatIllegalStateException()
          .isThrownBy(() -> optimizer.step(new NDList(), new NDList()))
          .withMessageContaining("there is no training pass");
    }
  }
}
