package io.github.kfac4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.LayerStatistics;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.Convention;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.Intervals;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What does not fit is refused before anything is allocated, with the layer, sizes and advice. */
class SizesTest {
  private static final KfacOptions OPTIONS = KfacOptions.DEFAULT;
  private static final KfacOptions EXACT = OPTIONS.withDampingMode(DampingMode.EXACT);
  private static final KfacOptions EKFAC = OPTIONS.withApproximation(Approximation.EKFAC);
  private static final KfacOptions DIAGONAL = OPTIONS.withApproximation(Approximation.DIAGONAL);
  private static final KfacOptions DOUBLY =
      OPTIONS.withApproximation(Approximation.DOUBLY_FACTORED);

  private final List<MatrixStack> allocated = new ArrayList<>();

  /** A backend with storage of that size, which fails at the given allocation. */
  private Backend backend(Storage storage, int failAt) {
    Backend java = new JavaBackend();
    Set<String> allocations = Set.of("allocate", "allocateBasis");
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("storage")) {
                return storage;
              }
              if (allocations.contains(method.getName()) && allocated.size() == failAt) {
                throw new OutOfMemoryError("Cannot allocate new FloatPointer(16)");
              }
              try {
                Object result = method.invoke(java, arguments);
                if (allocations.contains(method.getName())) {
                  allocated.add((MatrixStack) result);
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private Backend large(long available) {
    Storage storage =
        new Storage("device memory", 4, 8, Integer.MAX_VALUE - 8, available, "a larger device");
    return backend(storage, -1);
  }

  static Stream<Arguments> tooLarge() {
    String dense = "; use DIAGONAL for it or leave it out";
    String none = "; leave it out of K-FAC";
    String most = " of device memory, and the backend 'java' can hold at most 8.0 GiB in one piece";
    return Stream.of(
        Arguments.of(
            OPTIONS,
            new Dense(768, 50257, false),
            "its factor G of 50257 x 50257 needs 9.4 GiB" + most + dense),
        Arguments.of(
            EXACT,
            new Dense(50256, 10, true),
            "its factor A of 50257 x 50257 needs 9.4 GiB" + most + dense),
        Arguments.of(
            EKFAC,
            new Dense(768, 50257, true),
            "its factor G of 50257 x 50257 needs 9.4 GiB" + most + dense),
        Arguments.of(
            DIAGONAL,
            new Dense(65536, 50257, true),
            "its moments of 50257 x 65537 needs 12.3 GiB" + most + none),
        Arguments.of(
            OPTIONS.withConvention(Convention.KFAC_PYTORCH),
            new Dense(768, 50257, false),
            "its factor G of 50257 x 50257 needs 9.4 GiB" + most + none),
        Arguments.of(
            OPTIONS,
            new Embedding(3_000_000, 768),
            "its moments of 3000000 x 768 needs 8.6 GiB" + most + none),
        Arguments.of(
            OPTIONS,
            Conv2d.of(8192, 8, Window.of(3, 3)),
            "its factor A of 73729 x 73729 needs 20.3 GiB" + most + dense),
        Arguments.of(
            OPTIONS,
            new Conv2d(40000, 40000, Window.of(300, 1), 40000, true, layout()),
            "its factor A of 40000 x 301 x 301 needs 13.5 GiB" + most + dense),
        Arguments.of(
            OPTIONS,
            new ConvTranspose2d(8, 50257, Window.of(1, 1), 1, false),
            "its factor G of 50257 x 50257 needs 9.4 GiB" + most + dense),
        Arguments.of(
            OPTIONS,
            new Conv1d(8, 50257, Conv1d.window(1, 1, 0, 1), 1, false),
            "its factor G of 50257 x 50257 needs 9.4 GiB" + most + dense),
        Arguments.of(
            OPTIONS,
            new FlattenedDense(512, 100, 4096, true, false),
            "its factor A of 51201 x 51201 needs 9.8 GiB" + most + dense),
        Arguments.of(
            DOUBLY,
            new FlattenedDense(51200, 4, 4096, true, false),
            "its factor channels of 51200 x 51200 needs 9.8 GiB" + most + dense),
        Arguments.of(
            OPTIONS,
            new ScaleShift(30000, ScaleShift.Structure.FULL, true, false, 1),
            "its factor G of 60000 x 60000 needs 13.4 GiB" + most + dense));
  }

  private static ImageLayout layout() {
    return ImageLayout.NCHW;
  }

  @ParameterizedTest
  @MethodSource("tooLarge")
  void aLayerTooLargeForAStackIsNamedWithItsSizeAndTheRemedy(
      KfacOptions options, Layer layer, String reason) {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("head", layer);
    if (options.approximation() != Approximation.DOUBLY_FACTORED) {
      layers.put("body", new Dense(3, 2, true));
    }
    assertThatThrownBy(() -> new Kfac(large(Long.MAX_VALUE), layers, options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("layer 'head': " + reason);
    assertThat(allocated).isEmpty();
  }

  /** Factors and inverses and copies of both, of 4 bytes each: 16 n^2. */
  @Test
  void theSumOverAllLayersIsComparedWithWhatIsAvailable() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("body", new Dense(1023, 512, true));
    layers.put("head", new Dense(511, 2048, true));
    long needed = 16L * (1024 * 1024 + 512 * 512 + 512 * 512 + 2048 * 2048);
    assertThatThrownBy(() -> new Kfac(large(needed - 1), layers, OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "layer 'head': its factor G of 2048 x 2048 needs 16.0 MiB of device memory, all layers"
                + " with the copies for discardStep() 88.0 MiB, of which 88.0 MiB are available;"
                + " use DIAGONAL for it or leave it out, or give it a larger device");
    assertThat(allocated).isEmpty();
    new Kfac(large(needed), layers, OPTIONS).close();
    assertThat(allocated).hasSize(8);
  }

  @Test
  void copiesForAdaptiveIntervalsCount() {
    Map<String, Layer> layers = Map.of("fc", new Dense(512, 256, false));
    long factors = 2 * 4L * (512 * 512 + 256 * 256);
    KfacOptions adaptive = OPTIONS.withIntervals(Intervals.adaptive(0.1));
    assertThatThrownBy(() -> new Kfac(large(4 * factors - 1), layers, adaptive))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("layer 'fc': its factor A of 512 x 512 needs 1.0 MiB");
    new Kfac(large(4 * factors), layers, adaptive).close();
  }

  @Test
  void whatWasAllocatedIsFreeAgainIfTheRestFails() {
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("body", new Dense(5, 4, true));
    layers.put("head", new Dense(4, 3, true));
    for (int failAt = 0; failAt < 8; failAt++) {
      allocated.clear();
      Backend failing = backend(Storage.UNKNOWN, failAt);
      assertThatThrownBy(() -> new Kfac(failing, layers, OPTIONS))
          .isInstanceOf(MemoryException.class)
          .hasMessageStartingWith(failAt < 4 ? "layer 'body': its " : "layer 'head': its ")
          .hasMessageContaining(
              "of memory, which is not available: Cannot allocate new FloatPointer");
      assertThat(allocated).hasSize(failAt);
      for (MatrixStack stack : allocated) {
        assertThatThrownBy(stack::toArray).isInstanceOf(IllegalStateException.class);
      }
    }
  }

  @Test
  void vectorsThatNoIntCountsAreRefusedByTheLayerItself() {
    int much = Integer.MAX_VALUE;
    List<Supplier<Layer>> layers =
        List.of(
            () -> new Dense(much, 2, true),
            () -> new Conv2d(65536, 2, Window.of(256, 256), 1, true, layout()),
            () -> new Conv2d(much, 1, Window.of(much, much), 1, true, layout()),
            () -> new ConvTranspose2d(65536, 2, Window.of(256, 256), 1, false),
            () -> new Conv1d(65536, 2, Conv1d.window(65536, 1, 0, 1), 1, false),
            () -> new FlattenedDense(65536, 65536, 2, false, false),
            () -> new FlattenedDense(much, 1, 2, true, false),
            () -> new ScaleShift(much / 2 + 1, ScaleShift.Structure.FULL, true, false, 1),
            () -> ScaleShift.of(much));
    for (Supplier<Layer> layer : layers) {
      assertThatThrownBy(layer::get)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("are too long: at most 2147483647 can be counted");
    }
  }

  /** The vocabulary of GPT-2: as an embedding and as a head with a diagonal it is no problem. */
  @Test
  void aLargeVocabularyWorksAsAnEmbeddingAndWithADiagonal() {
    int vocabulary = 50257;
    int width = 4;
    Map<String, Layer> layers = new LinkedHashMap<>();
    layers.put("words", new Embedding(vocabulary, width));
    layers.put("head", new Dense(width, vocabulary, false));
    KfacOptions options =
        OPTIONS.withIntervals(1, 1).withDecay(0).withApproximation("head", Approximation.DIAGONAL);
    double[] logits = new double[2 * vocabulary];
    logits[7] = 1;
    logits[vocabulary + 50256] = -2;
    try (Kfac kfac = new Kfac(new JavaBackend(), layers, options)) {
      HostTensor some = HostTensor.of(new double[] {1, 2, 3, 4, 5, 6, 7, 8}, 2, width);
      kfac.observe(
          List.of(
              Observation.ofSumLoss("words", HostTensor.of(new double[] {0, 50256}, 2), some),
              Observation.ofSumLoss("head", some, HostTensor.of(logits, 2, vocabulary))));
      kfac.refresh();
      double[] ones = new double[vocabulary * width];
      Arrays.fill(ones, 1);
      HostTensor words = HostTensor.of(ones.clone(), vocabulary, width);
      HostTensor head = HostTensor.of(ones, vocabulary, width);
      kfac.precondition(
          List.of(new LayerGradient("words", words), new LayerGradient("head", head)));
      // E[(g a)^2] of the last row and the first column: (-2 * 5)^2 / 2
      assertThat(head.toArray()[50256 * width]).isEqualTo(1 / (50 + OPTIONS.damping()));
      assertThat(head.toArray()[0]).isEqualTo(1 / OPTIONS.damping());
      assertThat(words.toArray()[4]).isNotEqualTo(words.toArray()[0]).isFinite();
    }
  }

  /** What ranks contribute takes the memory of the averages, once. */
  @Test
  void statisticsOfABatchKeepNoInversesAndNoCopies() {
    Map<String, Layer> layers = Map.of("fc", new Dense(5, 4, true));
    long averages = 6 * 6 + 4 * 4;
    Backend backend = backend(new Storage("memory", 8, 8, averages, 8 * averages, "more"), -1);
    for (KfacOptions options : List.of(OPTIONS, EXACT)) {
      allocated.clear();
      try (BatchStatistics statistics = new BatchStatistics(backend, layers, options)) {
        assertThat(allocated.stream().mapToLong(MatrixStack::size).sum()).isEqualTo(averages);
        assertThat(statistics.of("fc").moments())
            .extracting(LayerStatistics.Moment::name)
            .containsExactlyInAnyOrder("A", "G");
      }
      assertThatThrownBy(() -> new Kfac(backend, layers, options))
          .hasMessageContaining("layer 'fc'");
    }
  }
}
