package io.github.kfac4j.experiments.study.batchsize;

import static io.github.kfac4j.experiments.study.report.Verdict.Ruling.FAILS;
import static io.github.kfac4j.experiments.study.report.Verdict.Ruling.HOLDS;
import static io.github.kfac4j.experiments.study.report.Verdict.Ruling.UNDECIDED;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.experiments.study.report.Verdict;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.trial.Metaparameter;
import io.github.kfac4j.experiments.study.trial.Result;
import io.github.kfac4j.experiments.study.trial.Settings;
import io.github.kfac4j.experiments.study.trial.StudyOptimizer;
import io.github.kfac4j.experiments.study.trial.Trial;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Made-up results whose truth is known. */
class BatchSizeClaimsTest {
  private final List<Result> results = new ArrayList<>();
  private final Map<String, String> facts =
      new LinkedHashMap<>(
          Map.of(
              "data", "fashion-mnist: made up",
              "--model", "mlp",
              "--backend", "java",
              "--target", "0.8",
              "--target-loss", "null",
              "--target-on", "validation",
              "budget", "steps:2000",
              "--evaluate-every", "1024",
              "--divergence", "1.1",
              "--run-to-end", "true"));

  /** Five repetitions with so many steps, a few apart. */
  private void runs(String optimizer, int batch, int steps, double testAccuracy) {
    facts.put("search of " + optimizer, "--lr 0.01:1");
    for (int repeat = 0; repeat <= 5; repeat++) {
      long own = steps + repeat * steps / 100;
      Map<Metaparameter, Double> values = Map.of(Metaparameter.LEARNING_RATE, 0.1);
      TrialOutcome outcome =
          new TrialOutcome(
              Map.of(),
              own,
              false,
              false,
              own,
              1.0,
              1.0,
              0.8,
              new TrialOutcome.Finals(1.0, 0.8, 1.0, testAccuracy),
              List.of());
      results.add(
          new Result(
              new Trial(StudyOptimizer.of("test", optimizer), batch, 0, values, repeat), outcome));
    }
  }

  private Verdict.Ruling ruling(String words) {
    facts.put("--seed", "1");
    facts.put("--search-seed", "1");
    StoredStudy study =
        new StoredStudy(Path.of("nowhere"), facts, Settings.read(facts), 55_000, results);
    return BatchSizeClaims.of(study).stream()
        .filter(verdict -> verdict.claim().contains(words))
        .findFirst()
        .orElseThrow()
        .ruling();
  }

  @Test
  void whatIsTrueHoldsAndWhatIsFalseFails() {
    runs("sgd", 64, 1000, 0.8); // critical: twice the examples at batch 128
    runs("sgd", 128, 1050, 0.8);
    runs("sgd", 256, 1100, 0.8);
    runs("heavy-ball", 64, 1000, 0.9); // critical batch 256 and more
    runs("heavy-ball", 128, 500, 0.9);
    runs("heavy-ball", 256, 400, 0.9);
    runs("kfac", 64, 500, 0.902); // falls back at the end
    runs("kfac", 128, 480, 0.902);
    runs("kfac", 256, 470, 0.902);
    assertThat(ruling("momentum does not help small batches")).isEqualTo(HOLDS);
    assertThat(ruling("momentum extends perfect scaling")).isEqualTo(HOLDS);
    assertThat(ruling("K-FAC helps small batches too")).isEqualTo(HOLDS);
    assertThat(ruling("makes more progress an iteration")).isEqualTo(HOLDS);
    assertThat(ruling("K-FAC departs more from ideal")).isEqualTo(HOLDS);
    assertThat(ruling("diminishing returns for K-FAC")).isEqualTo(HOLDS);
    assertThat(ruling("final accuracy is comparable")).isEqualTo(HOLDS);
    assertThat(ruling("K-FAC extends it further than Adam")).isEqualTo(UNDECIDED); // no Adam
  }

  @Test
  void theContraryFails() {
    runs("sgd", 64, 1000, 0.8);
    runs("sgd", 128, 500, 0.8);
    runs("sgd", 256, 260, 0.8);
    runs("heavy-ball", 64, 500, 0.9);
    runs("heavy-ball", 128, 520, 0.9);
    runs("heavy-ball", 256, 530, 0.9);
    runs("kfac", 64, 1000, 0.7);
    runs("kfac", 128, 500, 0.7);
    runs("kfac", 256, 250, 0.7);
    assertThat(ruling("diminishing returns for K-FAC")).isEqualTo(UNDECIDED); // exactly perfect
    assertThat(ruling("momentum does not help small batches")).isEqualTo(FAILS);
    assertThat(ruling("momentum extends perfect scaling")).isEqualTo(FAILS);
    assertThat(ruling("K-FAC helps small batches too")).isEqualTo(FAILS);
    assertThat(ruling("makes more progress an iteration")).isEqualTo(FAILS);
    assertThat(ruling("K-FAC departs more from ideal")).isEqualTo(FAILS);
    assertThat(ruling("final accuracy is comparable")).isEqualTo(FAILS);
  }
}
