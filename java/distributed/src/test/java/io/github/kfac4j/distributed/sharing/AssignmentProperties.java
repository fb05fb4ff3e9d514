package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.layer.Dense;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class AssignmentProperties {
  private static List<LayerCost> layers(List<Integer> costs) {
    List<LayerCost> layers = new ArrayList<>();
    for (int i = 0; i < costs.size(); i++) {
      layers.add(new LayerCost(String.valueOf((char) ('a' + i)), costs.get(i)));
    }
    return layers;
  }

  /** The shortest possible time of the busiest rank, by trying everything. */
  private static double optimum(List<Integer> costs, int next, double[] load, double best) {
    double longest = 0;
    for (double l : load) {
      longest = Math.max(longest, l);
    }
    if (longest >= best) {
      return best;
    }
    if (next == costs.size()) {
      return longest;
    }
    for (int rank = 0; rank < load.length; rank++) {
      load[rank] += costs.get(next);
      best = optimum(costs, next + 1, load, best);
      load[rank] -= costs.get(next);
      if (load[rank] == 0) {
        break; // ranks without work are alike
      }
    }
    return best;
  }

  @Property(tries = 300)
  void balancedIsWithinFourThirdsOfTheOptimum(
      @ForAll @Size(min = 1, max = 9) List<@IntRange(min = 0, max = 1000) Integer> costs,
      @ForAll @IntRange(min = 1, max = 4) int ranks) {
    List<LayerCost> layers = layers(costs);
    double best = optimum(costs, 0, new double[ranks], Double.POSITIVE_INFINITY);
    double bound = (4.0 / 3 - 1 / (3.0 * ranks)) * best;
    assertThat(Assignment.balanced(layers, ranks).longest(layers))
        .isLessThanOrEqualTo(bound + 1e-9);
  }

  @Property(tries = 200)
  void everyLayerHasOneOwnerAndContiguousRunsDifferByOne(
      @ForAll @Size(max = 20) List<@IntRange(min = 0, max = 9) Integer> costs,
      @ForAll @IntRange(min = 1, max = 30) int ranks) {
    List<LayerCost> layers = layers(costs);
    List<String> names = layers.stream().map(LayerCost::layer).toList();
    for (Assignment assignment :
        List.of(
            Assignment.contiguous(layers, ranks),
            Assignment.roundRobin(layers, ranks),
            Assignment.balanced(layers, ranks))) {
      List<String> all = new ArrayList<>();
      for (int rank = 0; rank < ranks; rank++) {
        all.addAll(assignment.owned(rank));
      }
      assertThat(all).containsExactlyInAnyOrderElementsOf(names);
    }
    Assignment contiguous = Assignment.contiguous(layers, ranks);
    List<String> inOrder = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      inOrder.addAll(contiguous.owned(rank));
      assertThat(contiguous.owned(rank).size())
          .isBetween(names.size() / ranks, (names.size() + ranks - 1) / ranks);
    }
    assertThat(inOrder).isEqualTo(names);
  }

  @Property(tries = 200)
  void aRankFindsAWorkerInItsRow(
      @ForAll @IntRange(min = 1, max = 24) int ranks,
      @ForAll @IntRange(min = 0, max = 100) int percent) {
    List<LayerCost> layers = layers(List.of(5, 4, 3, 2, 1));
    Assignment assignment = Assignment.balanced(layers, ranks).withWorkerFraction(percent / 100.0);
    assertThat(assignment.workers() * 100).isGreaterThanOrEqualTo(percent * ranks);
    for (String layer : assignment.owners().keySet()) {
      assertThat(assignment.isWorker(layer, assignment.owner(layer))).isTrue();
      int count = 0;
      for (int rank = 0; rank < ranks; rank++) {
        assertThat(assignment.isWorker(layer, assignment.worker(layer, rank))).isTrue();
        count += assignment.isWorker(layer, rank) ? 1 : 0;
      }
      assertThat(count).isEqualTo(assignment.workers());
    }
  }

  @Example
  void thePictureInTheDocumentation() {
    List<LayerCost> layers = layers(List.of(8, 1, 1, 4, 1, 2, 3));
    assertThat(Assignment.contiguous(layers, 3).longest(layers)).isEqualTo(10);
    assertThat(Assignment.roundRobin(layers, 3).longest(layers)).isEqualTo(15);
    Assignment balanced = Assignment.balanced(layers, 3);
    assertThat(balanced.owned(0)).containsExactly("a");
    assertThat(balanced.owned(1)).containsExactly("b", "c", "d");
    assertThat(balanced.owned(2)).containsExactly("e", "f", "g");
    assertThat(balanced.longest(layers)).isEqualTo(8);
    Assignment grid = new Assignment(6, 2, Map.of("x", 4));
    assertThat(List.of(grid.worker("x", 0), grid.worker("x", 2), grid.worker("x", 5)))
        .containsExactly(1, 1, 4);
  }

  @Example
  void extremesOfTheWorkerFraction() {
    Assignment assignment = Assignment.contiguous(layers(List.of(1, 1)), 12);
    assertThat(assignment.withWorkerFraction(0).workers()).isEqualTo(1);
    assertThat(assignment.withWorkerFraction(0.4).workers()).isEqualTo(6);
    assertThat(assignment.withWorkerFraction(1).workers()).isEqualTo(12);
    assertThatThrownBy(() -> assignment.withWorkerFraction(1.5)).hasMessageContaining("1.5");
    assertThatThrownBy(() -> new Assignment(4, 3, Map.of()))
        .hasMessage("3 workers a layer do not divide 4 ranks");
    assertThatThrownBy(() -> new Assignment(4, 1, Map.of("x", 4)))
        .hasMessage("layer 'x': its owner, rank 4, is not one of 4");
  }

  @Example
  void costsAreCubicInBothDimensions() {
    Map<String, Dense> layers = new LinkedHashMap<>();
    layers.put("fc", new Dense(2, 10, true));
    assertThat(LayerCost.cubic(layers)).containsExactly(new LayerCost("fc", 27 + 1000));
  }
}
