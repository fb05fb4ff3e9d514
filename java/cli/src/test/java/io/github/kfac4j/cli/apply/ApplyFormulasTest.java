package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;
import static org.assertj.core.data.Percentage.withPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The command on real files against the formulas, for every convention, mode and kind of layer. */
class ApplyFormulasTest {
  private static final List<String> CONVENTIONS =
      List.of("kfc", "tensorflow-kfac", "kfac-jax", "kfac-pytorch");
  private static final double LAMBDA = 0.03;

  @TempDir Path directory;
  private final Random random = new Random(11);
  private final List<SampleLayer> layers = layers();

  private List<SampleLayer> layers() {
    Window window = new Window(3, 2, 2, 1, 1, 0, 1, 2);
    String conv =
        "\"type\":\"conv2d\",\"in_channels\":%d,\"out_channels\":%d,\"groups\":%d,\"kernel\":[3,2],"
            + "\"stride\":[2,1],\"padding\":[1,0],\"dilation\":[1,2]";
    int[] six = {4, 6, 3, 3};
    int[] image = {4, 3, 5, 5};
    return List.of(
        dense("fc", 6, 4, true, 5),
        dense("wide.head", 3, 5, false, 7),
        dense("scalar", 4, 1, true, 5),
        dense("sequence", 4, 3, true, 3, 6),
        dense("deep", 2, 3, false, 2, 3, 2),
        sample(conv.formatted(3, 4, 1), "conv", new Conv2d(3, 4, window, 1, true, NCHW), image, 4),
        sample(
            conv.formatted(6, 4, 2), "grouped", new Conv2d(6, 4, window, 2, true, NCHW), big(6), 4),
        sample(
            conv.formatted(3, 6, 3),
            "depthwise",
            new Conv2d(3, 6, window, 3, false, NCHW),
            image,
            6));
  }

  private static final ImageLayout NCHW = ImageLayout.NCHW;

  private static int[] big(int channels) {
    return new int[] {3, channels, 5, 5};
  }

  private SampleLayer sample(String json, String name, Conv2d layer, int[] image, int channels) {
    return SampleLayer.random(
        random, json, name, layer, image, new int[] {image[0], channels, 3, 3});
  }

  private SampleLayer dense(String name, int in, int out, boolean bias, int... batch) {
    String json = "\"type\":\"dense\",\"in_features\":%d,\"out_features\":%d".formatted(in, out);
    int[] input = Arrays.copyOf(batch, batch.length + 1);
    int[] grad = input.clone();
    input[batch.length] = in;
    grad[batch.length] = out;
    return SampleLayer.random(random, json, name, new Dense(in, out, bias), input, grad);
  }

  private String config(String settings) {
    String entries = layers.stream().map(SampleLayer::json).collect(Collectors.joining(","));
    return "{\"layers\":[%s],\"damping\":%s,%s}".formatted(entries, LAMBDA, settings);
  }

  private JsonNode run(DType dtype, String settings) {
    return run("java", dtype, settings);
  }

  private JsonNode run(String backend, DType dtype, String settings) {
    Bench bench = new Bench(directory);
    layers.forEach(layer -> layer.putInto(bench, dtype));
    JsonNode json = bench.json(backend, config(settings));
    assertThat(json.get("backend").textValue()).isEqualTo(backend);
    return json;
  }

  /** Compares gradients and, unless {@code factors} is false, A and G of every group. */
  private void check(
      String backend,
      DType dtype,
      String convention,
      boolean factors,
      Function<Formulas, double[]> gradient) {
    double tolerance = backend.equals("java") && dtype == DType.F64 ? 1e-10 : 1e-5;
    check(tolerance, dtype, convention, factors, gradient);
  }

  private void check(
      double tolerance,
      DType dtype,
      String convention,
      boolean factors,
      Function<Formulas, double[]> gradient) {
    Map<String, StoredTensor> results = new Bench(directory).results();
    List<String> expectedNames = new ArrayList<>();
    for (SampleLayer layer : layers) {
      String name = layer.name();
      int groups = layer.layer().groups();
      if (factors) {
        expectedNames.addAll(List.of(name + ".A", name + ".G"));
      }
      expectedNames.add(name + ".weight_grad");
      double[] weight = Bench.values(results.get(name + ".weight_grad"));
      double[] bias = {};
      if (layer.layer().bias()) {
        expectedNames.add(name + ".bias_grad");
        bias = Bench.values(results.get(name + ".bias_grad"));
      }
      for (int k = 0; k < groups; k++) {
        Formulas formulas = new Formulas(convention, layer, k);
        assertThat(Fixtures.error(layer.joined(weight, bias, k), gradient.apply(formulas)))
            .as("%s, group %d", name, k)
            .isLessThan(tolerance);
        if (factors) {
          checkFactor(results.get(name + ".A"), groups, layer.dimA(), k, formulas.a(), tolerance);
          checkFactor(results.get(name + ".G"), groups, layer.dimG(), k, formulas.g(), tolerance);
        }
      }
    }
    assertThat(results.keySet()).containsExactlyInAnyOrderElementsOf(expectedNames);
    assertThat(results.values()).allMatch(tensor -> tensor.dtype() == dtype);
  }

  private static void checkFactor(
      StoredTensor actual, int groups, int n, int k, double[] expected, double tolerance) {
    assertThat(actual.shape())
        .containsExactly(groups == 1 ? new long[] {n, n} : new long[] {groups, n, n});
    double[] one = Arrays.copyOfRange(Bench.values(actual), k * n * n, (k + 1) * n * n);
    assertThat(Fixtures.error(one, expected)).isLessThan(tolerance);
  }

  /** Every backend that is not a device, both types; the CPU backend computes in fp32. */
  static Stream<Arguments> backends() {
    return Stream.of("java", "cpu")
        .flatMap(b -> Stream.of(Arguments.of(b, DType.F32), Arguments.of(b, DType.F64)));
  }

  static Stream<Arguments> conventions() {
    return CONVENTIONS.stream()
        .flatMap(
            convention -> backends().map(b -> Arguments.of(convention, b.get()[0], b.get()[1])));
  }

  @ParameterizedTest
  @MethodSource("conventions")
  void factoredDamping(String convention, String backend, DType dtype) {
    JsonNode json = run(backend, dtype, "\"convention\":\"%s\"".formatted(convention));
    check(backend, dtype, convention, true, formulas -> formulas.factored(LAMBDA));

    assertThat(json.get("layers")).hasSize(layers.size());
    for (int i = 0; i < layers.size(); i++) {
      checkReport(json.get("layers").get(i), layers.get(i), convention);
    }
  }

  private static void checkReport(JsonNode json, SampleLayer layer, String convention) {
    int groups = layer.layer().groups();
    assertThat(json.get("name").textValue()).isEqualTo(layer.name());
    assertThat(json.get("type").textValue()).isEqualTo(layer.convolution() ? "conv2d" : "dense");
    assertThat(json.get("groups").intValue()).isEqualTo(groups);
    assertThat(json.get("dims").get("A").intValue()).isEqualTo(layer.dimA());
    assertThat(json.get("dims").get("G").intValue()).isEqualTo(layer.dimG());
    for (int k = 0; k < groups; k++) {
      Formulas formulas = new Formulas(convention, layer, k);
      double[] damping = formulas.dampings(LAMBDA);
      assertThat(of(json.get("status"), groups, k).textValue()).isEqualTo("ok");
      assertThat(of(json.get("damping").get("A"), groups, k).doubleValue())
          .isCloseTo(damping[0], withPercentage(1e-4));
      assertThat(of(json.get("damping").get("G"), groups, k).doubleValue())
          .isCloseTo(damping[1], withPercentage(1e-4));
      JsonNode pi = of(json.get("pi"), groups, k);
      boolean none =
          convention.equals("kfac-pytorch") || convention.equals("kfac-jax") && layer.dimG() == 1;
      assertThat(pi.isNull()).isEqualTo(none);
      if (!none) {
        assertThat(pi.doubleValue()).isCloseTo(formulas.pi(), withPercentage(1e-4));
      }
    }
  }

  /** A value of one group: the field itself if there is one group, else an entry of a list. */
  private static JsonNode of(JsonNode field, int groups, int k) {
    assertThat(field.isArray()).isEqualTo(groups > 1);
    return groups == 1 ? field : field.get(k);
  }

  @ParameterizedTest
  @MethodSource("conventions")
  void exactDamping(String convention, String backend, DType dtype) {
    JsonNode json =
        run(
            backend,
            dtype,
            "\"damping_mode\":\"exact\",\"convention\":\"%s\"".formatted(convention));
    check(backend, dtype, convention, true, formulas -> formulas.exact(LAMBDA));
    JsonNode first = json.get("layers").get(0);
    assertThat(first.get("pi").isNull()).isTrue();
    assertThat(first.get("damping").get("A").doubleValue()).isEqualTo(LAMBDA);
    assertThat(first.get("damping").get("G").isNull()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("backends")
  void ekfac(String backend, DType dtype) {
    for (String convention : CONVENTIONS.subList(0, 3)) {
      run(
          backend,
          dtype,
          "\"approximation\":\"ekfac\",\"convention\":\"%s\"".formatted(convention));
      // moments belong to a basis, and in fp32 that is only as good as the gaps of the spectrum
      double tolerance = backend.equals("cpu") ? 1e-4 : dtype == DType.F32 ? 1e-5 : 1e-10;
      check(tolerance, dtype, convention, true, formulas -> formulas.ekfac(LAMBDA));
    }
  }

  @ParameterizedTest
  @MethodSource("backends")
  void diagonal(String backend, DType dtype) {
    for (String convention : CONVENTIONS.subList(0, 3)) {
      run(
          backend,
          dtype,
          "\"approximation\":\"diagonal\",\"convention\":\"%s\"".formatted(convention));
      check(backend, dtype, convention, false, formulas -> formulas.diagonal(LAMBDA));
    }
  }

  @Test
  void klClipBoundsTheWholeStep() {
    double rate = 0.5;
    double inner = 0;
    for (SampleLayer layer : layers) {
      for (int k = 0; k < layer.layer().groups(); k++) {
        double[] u = new Formulas("kfc", layer, k).factored(LAMBDA);
        double[] dw = layer.gradient(k);
        for (int i = 0; i < u.length; i++) {
          inner += u[i] * dw[i];
        }
      }
    }
    double clip = Math.sqrt(1e-2 / (rate * rate * inner));
    JsonNode json = run(DType.F64, "\"kl_clip\":1e-2,\"learning_rate\":0.5");
    assertThat(json.get("inner_product").doubleValue()).isCloseTo(inner, withPercentage(1e-8));
    assertThat(json.get("clip").doubleValue()).isCloseTo(clip, withPercentage(1e-8));
    check("java", DType.F64, "kfc", true, f -> Formulas.times(f.factored(LAMBDA), clip));

    assertThat(run(DType.F64, "\"kl_clip\":1e9").get("clip").doubleValue()).isEqualTo(1);
    assertThat(run(DType.F64, "\"kl_clip\":null").get("clip").doubleValue()).isEqualTo(1);
  }

  @Test
  void runningAveragesStartAsTheConventionSays() {
    SampleLayer fc = layers.get(0);
    run(DType.F64, "\"decay\":0.95,\"convention\":\"kfac-pytorch\"");
    double[] batch = new Formulas("kfac-pytorch", fc, 0).a();
    double[] average =
        Fixtures.damped(Formulas.times(batch, 0.05), fc.dimA(), 1, 0.95); // from the identity
    double[] actual = Bench.values(new Bench(directory).results().get("fc.A"));
    assertThat(Fixtures.error(actual, average)).isLessThan(1e-12);

    run(DType.F64, "\"decay\":0.95");
    check("java", DType.F64, "kfc", true, formulas -> formulas.factored(LAMBDA)); // debiased
  }

  @Test
  void momentsOfARunningAverageStartFromThoseOfKroneckerFactors() {
    for (String convention : List.of("kfc", "tensorflow-kfac", "kfac-jax")) {
      run(
          DType.F64,
          "\"approximation\":\"ekfac\",\"decay\":0.9,\"convention\":\"%s\"".formatted(convention));
      check(1e-8, DType.F64, convention, true, formulas -> formulas.ekfac(LAMBDA, 0.9));
    }
  }

  @Test
  void everyLayerKeepsTheTypeOfItsInput() {
    Bench bench = new Bench(directory);
    SampleLayer single = layers.get(0);
    SampleLayer twin = layers.get(1);
    single.putInto(bench, DType.F32);
    twin.putInto(bench, DType.F64);
    // within a layer, types may differ
    bench.put("fc.weight_grad", DType.F64, single.data()[2], 4, 6);
    bench.put("wide.head.weight_grad", DType.F32, twin.data()[2], 5, 3);
    bench.json(
        "java", "{\"layers\":[%s,%s],\"damping\":0.03}".formatted(single.json(), twin.json()));
    Map<String, StoredTensor> results = bench.results();
    results.forEach(
        (name, tensor) ->
            assertThat(tensor.dtype())
                .as(name)
                .isEqualTo(name.startsWith("fc.") ? DType.F32 : DType.F64));
    double[] expected = new Formulas("kfc", twin, 0).factored(LAMBDA);
    double[] actual = Bench.values(results.get("wide.head.weight_grad"));
    assertThat(Fixtures.error(actual, expected)).isLessThan(1e-10);
    assertThat(results.get("fc.weight_grad").shape()).containsExactly(4, 6);
  }

  @Test
  void theJacobiReferenceDiagonalises() {
    double[] m = Fixtures.covariance(random, 5, 9);
    double[] q = Formulas.eigenvectors(m, 5);
    double[] d =
        Literal.multiply(Literal.multiply(Literal.transpose(q, 5, 5), m, 5, 5, 5), q, 5, 5, 5);
    for (int i = 0; i < 25; i++) {
      if (i % 6 != 0) {
        assertThat(d[i]).isCloseTo(0, offset(1e-12));
      }
    }
  }
}
