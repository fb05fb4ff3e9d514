package io.github.kfac4j.distributed.sharing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.distributed.collectives.Ranks;
import io.github.kfac4j.tensor.HostTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MeansTest {
  @Test
  void weightedMeansAreTheSameOnAllRanks() {
    List<double[]> results =
        Ranks.run(
            3,
            c -> {
              float r = c.rank();
              Map<String, HostTensor> tensors = new LinkedHashMap<>();
              tensors.put("a", HostTensor.of(new float[] {r, 2 * r}, 2));
              tensors.put("b", HostTensor.of(new double[] {1 + r}, 1));
              Means.average(c, tensors, c.rank() == 0 ? 0.5 : 0.25);
              double[] sums = Means.sum(c, r, 1);
              return new double[] {
                tensors.get("a").toArray()[0],
                tensors.get("a").toArray()[1],
                tensors.get("b").toArray()[0],
                sums[0],
                sums[1]
              };
            });
    assertThat(results).allSatisfy(r -> assertThat(r).containsExactly(0.75, 1.5, 1.75, 3, 3));
  }
}
