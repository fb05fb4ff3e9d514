package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import io.github.kfac4j.testkit.Fixtures;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The command against numbers that the libraries themselves gave; the README beside the numbers
 * says how they were made.
 */
class GoldenVectorsTest {
  private static final List<String> CASES =
      List.of(
          "kfac-pytorch/inverse",
          "kfac-pytorch/inverse-average",
          "kfac-pytorch/inverse-clipped",
          "kfac-pytorch/eigen",
          "kfac-pytorch/eigen-average",
          "kfac-pytorch/eigen-clipped",
          "kfac-jax/factored",
          "kfac-jax/factored-more",
          "kfac-jax/exact",
          "kfac-jax/exact-more",
          "kfac-jax-norm/full",
          "kfac-jax-norm/full-more",
          "kfac-jax-norm/diagonal",
          "kfac-jax-norm/diagonal-more",
          "tensorflow-kfac/factored",
          "tensorflow-kfac/factored-more",
          "tensorflow-kfac/factored-clipped",
          "tensorflow-kfac/exact",
          "tensorflow-kfac/exact-more",
          "tensorflow-kfac-diagonal/diagonal",
          "tensorflow-kfac-diagonal/diagonal-more");

  @TempDir Path directory;

  private static Path golden(String name) throws URISyntaxException {
    return Path.of(GoldenVectorsTest.class.getResource("golden/" + name).toURI());
  }

  /** Of each estimation mode of kfac-jax. */
  private static Stream<String> byEstimator() {
    return Stream.of("empirical", "gradients", "exact", "curvature-prop")
        .flatMap(
            mode ->
                Stream.of("factored", "factored-more", "exact", "exact-more", "diagonal")
                    .map(name -> "kfac-jax-fisher-" + mode + "/" + name));
  }

  static Stream<Arguments> runs() {
    return Stream.concat(CASES.stream(), byEstimator())
        .flatMap(
            name ->
                Stream.of(DType.F32, DType.F64)
                    .flatMap(
                        dtype ->
                            Stream.of("java", "cpu")
                                .map(backend -> Arguments.of(name, dtype, backend))));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theCommandGivesTheLibrarysNumbers(String name, DType dtype, String backend)
      throws IOException, URISyntaxException {
    Bench bench = new Bench(directory);
    String library = name.substring(0, name.indexOf('/'));
    read(library + "/input").forEach((n, t) -> bench.put(n, dtype, Bench.values(t), t.shape()));
    bench.json(backend, Files.readString(golden(name + ".json")));
    Map<String, StoredTensor> actual = bench.results();

    double tolerance = backend.equals("java") && dtype == DType.F64 ? 1e-10 : 1e-5;
    Map<String, StoredTensor> expected = read(name);
    assertThat(expected).isNotEmpty();
    for (String tensor : expected.keySet()) {
      assertThat(actual.get(tensor).shape()).isEqualTo(expected.get(tensor).shape());
      if (!tensor.endsWith(".bias_grad")) {
        assertThat(Fixtures.error(values(actual, tensor), values(expected, tensor)))
            .as(tensor)
            .isLessThan(tolerance);
      }
    }
    assertThat(expected.keySet())
        .containsAll(actual.keySet().stream().filter(n -> n.endsWith("_grad")).toList());
  }

  /** The values of a tensor; those of a bias gradient together with the weight's, as one matrix. */
  private static double[] values(Map<String, StoredTensor> tensors, String name) {
    double[] values = Bench.values(tensors.get(name));
    StoredTensor bias = tensors.get(name.replace(".weight_grad", ".bias_grad"));
    return name.endsWith(".weight_grad") && bias != null
        ? DoubleStream.concat(Arrays.stream(values), Arrays.stream(Bench.values(bias))).toArray()
        : values;
  }

  private static Map<String, StoredTensor> read(String name)
      throws IOException, URISyntaxException {
    return TensorFile.read(golden(name + ".safetensors")).tensors();
  }
}
