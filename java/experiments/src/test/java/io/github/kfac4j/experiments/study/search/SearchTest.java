package io.github.kfac4j.experiments.study.search;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.experiments.study.trial.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SearchTest {
  private static Search search(int trials, int most, boolean stopsBehindBest) {
    return new Search(Results.KFAC, 32, n -> Map.of(), trials, most, stopsBehindBest, 5);
  }

  /** Of trials that diverge where {@code steps} is null. */
  private static List<Result> run(Search search, Long... steps) {
    List<Result> results = new ArrayList<>();
    while (search.next(results).isPresent()) {
      int number = search.next(results).get().number();
      results.add(Results.of(32, number, 0.1, 0.1, steps[number]));
    }
    return results;
  }

  @Test
  void trialsThatDivergeAreMadeUpFor() {
    assertThat(run(search(3, 9, true), 9L, null, 8L, null, null, 7L, 6L)).hasSize(6);
  }

  @Test
  void butNotForEver() {
    assertThat(run(search(2, 4, true), null, null, null, null, 1L)).hasSize(4);
  }

  @Test
  void theNextTrialEndsBehindTheBest() {
    List<Result> results = run(search(3, 3, true), 90L, 60L, 70L);
    assertThat(search(3, 3, true).limit(results, 400)).isEqualTo(60);
    assertThat(search(3, 3, false).limit(results, 400)).isEqualTo(400);
    assertThat(search(3, 3, true).limit(List.of(), 400)).isEqualTo(400);
  }

  @Test
  void repetitionsDoNotCount() {
    List<Result> results = run(search(2, 2, true), 90L, 60L);
    results.add(Results.of(32, 1, 0.1, 0.1, 1, 50L));
    assertThat(Search.best(results).orElseThrow().outcome().stepsToGoal()).isEqualTo(60);
  }
}
