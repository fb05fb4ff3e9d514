package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.kfac4j.cli.CudaHere;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same files through the CUDA backend and the fp64 backend. */
@Tag("gpu")
class ApplyOnCudaTest {
  @TempDir Path directory;

  @BeforeEach
  void somethingToRunOn() {
    CudaHere.assume();
  }

  private static double[] gaussian(Random random, int n) {
    return random.doubles(n).map(x -> (float) random.nextGaussian()).toArray();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'damping_mode':'factored','approximation':'kronecker'",
        "'damping_mode':'exact','approximation':'kronecker'",
        "'damping_mode':'exact','approximation':'ekfac','kl_clip':0.001"
      })
  void agreesWithTheReference(String options) {
    Bench bench = new Bench(directory);
    Random random = new Random(11);
    bench.put("conv.input", DType.F32, gaussian(random, 4 * 3 * 7 * 6), 4, 3, 7, 6);
    bench.put("conv.output_grad", DType.F32, gaussian(random, 4 * 5 * 7 * 6), 4, 5, 7, 6);
    bench.put("conv.weight_grad", DType.F32, gaussian(random, 5 * 3 * 9), 5, 3, 3, 3);
    bench.put("conv.bias_grad", DType.F32, gaussian(random, 5), 5);
    bench.put("fc.input", DType.F32, gaussian(random, 4 * 11), 4, 11);
    bench.put("fc.output_grad", DType.F32, gaussian(random, 4 * 6), 4, 6);
    bench.put("fc.weight_grad", DType.F32, gaussian(random, 6 * 11), 6, 11);
    bench.put("fc.bias_grad", DType.F32, gaussian(random, 6), 6);
    String configuration =
        """
        {'layers':[{'name':'conv','type':'conv2d','in_channels':3,'out_channels':5,'kernel':[3,3],
        'stride':[1,1],'padding':[1,1],'dilation':[1,1],'groups':1,'bias':true},
        {'name':'fc','type':'dense','in_features':11,'out_features':6,'bias':true}],
        'damping':0.1,'convention':'kfc',%s}
        """
            .formatted(options)
            .replace('\'', '"');
    bench.json("java", configuration);
    Map<String, StoredTensor> expected = bench.results();
    bench.json("cuda", configuration);
    Map<String, StoredTensor> actual = bench.results();
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    for (String name : expected.keySet()) {
      double[] exact = Bench.values(expected.get(name));
      double[] values = Bench.values(actual.get(name));
      double largest = 0;
      for (double x : exact) {
        largest = Math.max(largest, Math.abs(x));
      }
      for (int i = 0; i < exact.length; i++) {
        assertThat(values[i]).as("%s[%d]", name, i).isCloseTo(exact[i], within(1e-4 * largest));
      }
    }
  }
}
