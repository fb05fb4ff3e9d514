package io.github.kfac4j.cli.train;

import io.github.kfac4j.experiments.options.Hyperparameters;
import io.github.kfac4j.experiments.options.KfacText;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.ScheduleText;
import io.github.kfac4j.experiments.options.WeightDecayText;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** The options that set the optimizers, as given; null where the user said nothing. */
public final class HyperparameterArguments {
  @Option(
      names = "--lr",
      paramLabel = "RATE",
      description =
          "Learning rate of all optimizers, or of some: kfac=0.003,ekfac=0.005,diagonal=0.001,"
              + "sgd=0.03,adam=0.001 (the defaults).")
  private String learningRate;

  @Option(
      names = "--lr-schedule",
      paramLabel = "FORM",
      description =
          "How the learning rates change: constant (default), linear:FACTOR or"
              + " polynomial:POWER until the end, linear:FACTOR@STEPS within STEPS steps, or from"
              + " parts of the run on: 0.4=0.1,0.8=0.01.")
  private String learningRateSchedule;

  @Option(
      names = "--momentum",
      paramLabel = "BETA",
      description =
          "Momentum of SGD, K-FAC and its relatives, or of some: kfac=0.9,sgd=0.95 (default: 0.9).")
  private String momentum;

  @Option(
      names = "--momentum-schedule",
      paramLabel = "FORM",
      description = "How the momentum changes, in the forms of --lr-schedule.")
  private String momentumSchedule;

  @Option(
      names = "--weight-decay",
      paramLabel = "FORM",
      description = "l2=COEFFICIENT, in the loss, or decoupled=COEFFICIENT (default: none).")
  private String weightDecay;

  @Option(
      names = "--adam",
      paramLabel = "CONSTANT=VALUE[,...]",
      hideParamSyntax = true,
      split = ",",
      description = "Constants of Adam (default: beta1=0.9,beta2=0.999,eps=1e-8).")
  private Map<String, String> adam;

  @Option(
      names = "--average",
      paramLabel = "DECAY",
      description = "Evaluate the moving average of the weights, for example 0.99.")
  private Double average;

  @Option(
      names = "--damping",
      paramLabel = "LAMBDA",
      description =
          "Damping of K-FAC and its relatives, or of some: kfac=0.01,ekfac=0.03,diagonal=0.01"
              + " (the defaults; like those of --lr, others for the autoencoder).")
  private String damping;

  @Option(
      names = "--damping-schedule",
      paramLabel = "FORM",
      description = "How the damping changes, in the forms of --lr-schedule.")
  private String dampingSchedule;

  @Option(
      names = "--kfac",
      paramLabel = "SETTING=VALUE[,...]",
      hideParamSyntax = true,
      split = ",",
      description = {
        "More settings of K-FAC and its relatives:",
        "fisher=empirical (default), mc, exact or curvature-prop;",
        "intervals=FACTORS:INVERSES, steps (default: 10:10, of ekfac 1:10); stale=0.1, intervals"
            + " that adapt; decay=0.95, of the factors' averages; burn-in=STEPS; examples=N, of"
            + " each batch for the factors; micro-batches=N;",
        "convention=kfc (default), tensorflow-kfac, kfac-jax or kfac-pytorch;"
            + " damping-mode=factored (default) or exact, of kfac; inverse=cholesky (default),"
            + " eigen or newton-schulz; flattened=doubly-factored or another approximation, of the"
            + " fully connected layer behind the convolutions;",
        "warm-up=LAMBDA:STEPS, damping that starts there; lm=STEPS between adaptations of the"
            + " damping by Levenberg-Marquardt, lm-bounds=MIN:MAX of it, gamma=STEPS likewise for"
            + " that of the factors;",
        "kl-clip=KAPPA; momentum-first=true; memory=update, momentum of updates instead of"
            + " velocity; quadratic=true, learning rate and momentum from the exact quadratic"
            + " model, or quadratic=rate, without momentum; rescale=true, weights kept to a norm;",
        "with several ranks: assignment=balanced (by cost, default), contiguous or round-robin;"
            + " workers=FRACTION of the ranks that precondition each layer (default: 0, one rank);"
            + " payload=fp32 (default) or fp16, how sums travel."
      })
  private Map<String, String> kfac;

  /** The hyperparameters with {@code base} where the user said nothing. */
  public Hyperparameters over(Hyperparameters base) {
    Map<OptimizerName, Double> rates = new TreeMap<>(base.learningRates());
    if (learningRate != null) {
      rates.putAll(PerOptimizer.parse("--lr", learningRate, List.of(OptimizerName.values())));
    }
    Map<OptimizerName, Double> momenta = new TreeMap<>(base.momenta());
    if (momentum != null) {
      momenta.putAll(PerOptimizer.parse("--momentum", momentum, base.momenta().keySet()));
    }
    Map<OptimizerName, Double> dampings = new TreeMap<>(base.dampings());
    if (damping != null) {
      dampings.putAll(PerOptimizer.parse("--damping", damping, base.dampings().keySet()));
    }
    return new Hyperparameters(
        rates,
        learningRateSchedule == null
            ? base.learningRateSchedule()
            : new ScheduleText(learningRateSchedule),
        momenta,
        momentumSchedule == null ? base.momentumSchedule() : new ScheduleText(momentumSchedule),
        dampings,
        dampingSchedule == null ? base.dampingSchedule() : new ScheduleText(dampingSchedule),
        weightDecay == null ? base.weightDecay() : new WeightDecayText(weightDecay),
        adam == null ? base.adam() : base.adam().with(adam),
        average == null ? base.average() : average,
        kfac == null ? base.kfac() : base.kfac().with(KfacText.of(kfac)));
  }
}
