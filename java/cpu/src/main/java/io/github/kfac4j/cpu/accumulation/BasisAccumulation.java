package io.github.kfac4j.cpu.accumulation;

import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.cpu.memory.Arena;
import io.github.kfac4j.cpu.samples.SampleMatrix;
import io.github.kfac4j.cpu.scheduling.Plan;
import io.github.kfac4j.cpu.scheduling.Pool;
import java.util.ArrayList;
import java.util.List;

/** Second moments in a basis, all side by side that fit into memory. */
public final class BasisAccumulation {
  private final Pool pool;
  private final Arena memory;
  private final List<Plan> plans = new ArrayList<>();

  /**
   * Prepares the verb.
   *
   * @param memory for what tasks share; all of it free
   */
  public BasisAccumulation(Pool pool, Arena memory) {
    this.pool = pool;
    this.memory = memory;
  }

  public void run(List<BasisAccumulateRequest> moments) {
    for (BasisAccumulateRequest moment : moments) {
      SampleMatrix g = SampleMatrix.of(moment.g());
      SampleMatrix a = SampleMatrix.of(moment.a());
      if (moment.g().positions() > 1) {
        for (int k = 0; k < moment.target().count(); k++) {
          plans.add(new BasisSlicePlan(moment, g, a, k));
        }
      } else {
        addRows(moment, g, a);
      }
    }
    pool.run(plans);
  }

  private void addRows(BasisAccumulateRequest moment, SampleMatrix g, SampleMatrix a) {
    for (long first = 0; first < g.rows; first += BasisRowsPlan.MAX_ROWS) {
      // rows after the first add to what those gave
      if (first > 0 || memory.takenFloats() > Accumulation.SIDE_BY_SIDE) {
        pool.run(plans);
        plans.clear();
        memory.reset();
      }
      int count = (int) Math.min(BasisRowsPlan.MAX_ROWS, g.rows - first);
      plans.add(new BasisRowsPlan(moment, g, a, first, count, memory));
    }
  }
}
