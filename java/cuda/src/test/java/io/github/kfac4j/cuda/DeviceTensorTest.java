package io.github.kfac4j.cuda;

import static io.github.kfac4j.testkit.Fixtures.direct;
import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.kfac4j.Kfac;
import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.cuda.DeviceTensor.Type;
import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.data.Observation;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.testkit.Fixtures;
import io.github.kfac4j.testkit.Literal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tensors that lie on the device already. */
@RequiresCuda
class DeviceTensorTest {
  private final Random random = new Random(5);
  private CudaBackend backend;

  @BeforeEach
  void open() {
    backend = new CudaBackend(0);
  }

  @AfterEach
  void close() {
    backend.close();
  }

  @Test
  void momentsOfDeviceMemoryAreThoseOfHostMemory() {
    double[] image = gaussian(random, 3 * 4 * 6 * 5);
    MatrixStack host = backend.allocate(2, 19, 19);
    MatrixStack device = backend.allocate(2, 19, 19);
    Window window = Window.of(3, 3).withPadding(1, 1);
    try (Gpu gpu = Gpu.floats(image)) {
      DeviceTensor there = DeviceTensor.of(gpu.pointer(), 3, 4, 6, 5);
      HostTensor here = direct(image, 3, 4, 6, 5);
      backend.accumulate(
          List.of(
              new AccumulateRequest(
                  host,
                  0,
                  0.1,
                  new PatchSamples(here, 3, 4, 6, 5, ImageLayout.NCHW, window, 2, true)),
              new AccumulateRequest(
                  device,
                  0,
                  0.1,
                  new PatchSamples(there, 3, 4, 6, 5, ImageLayout.NCHW, window, 2, true))));
      assertThat(gpu.read()).as("only read").containsExactly(image);
    }
    assertThat(device.toArray()).containsExactly(host.toArray());
  }

  @ParameterizedTest
  @EnumSource(
      value = Type.class,
      names = {"BF16", "F16"})
  void halfPrecisionSamplesAreTakenAsTheyAre(Type type) {
    int rows = 70;
    int dim = 33;
    double[] values = integers(rows * dim);
    MatrixStack moment = backend.allocate(1, dim, dim);
    try (Gpu gpu = Gpu.shorts(bits(values, type))) {
      DeviceTensor samples = DeviceTensor.of(gpu.pointer(), type, rows, dim);
      assertThat(backend.firstNonFinite(List.of(samples))).containsExactly(-1);
      RowSamples all = new RowSamples(samples, rows, 1, 1, dim, false);
      backend.accumulate(List.of(new AccumulateRequest(moment, 0, 1, all)));
      RowSamples literal = new RowSamples(direct(values), rows, 1, 1, dim, false);
      assertThat(moment.toArray())
          .containsExactly(Literal.secondMoment(Literal.rows(values, literal, 0)));
      Gradient gradient = new Gradient(samples, null);
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  backend.precondition(
                      List.of(
                          new PreconditionRequest(
                              backend.allocate(1, rows, rows), moment, 1, gradient, gradient))))
          .withMessageContaining("gradients must be fp32")
          .withMessageContaining(type.name());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Type.class,
      names = {"BF16", "F16"})
  void halfPrecisionImagesAreTakenAsTheyAre(Type type) {
    double[] values = integers(3 * 4 * 7 * 6);
    Window window = Window.of(3, 2).withStride(2, 1).withPadding(1, 2).withDilation(1, 2);
    try (Gpu gpu = Gpu.shorts(bits(values, type))) {
      for (ImageLayout layout : ImageLayout.values()) {
        int[] shape = layout == ImageLayout.NCHW ? new int[] {3, 4, 7, 6} : new int[] {3, 7, 6, 4};
        DeviceTensor there = DeviceTensor.of(gpu.pointer(), type, shape);
        PatchSamples literal =
            new PatchSamples(direct(values, shape), 3, 4, 7, 6, layout, window, 2, true);
        PatchSamples samples = new PatchSamples(there, 3, 4, 7, 6, layout, window, 2, true);
        MatrixStack moment = backend.allocate(2, samples.dim(), samples.dim());
        MatrixStack patches = backend.allocate(2, (int) samples.rows(), samples.dim());
        backend.accumulate(List.of(new AccumulateRequest(moment, 0, 1, samples)));
        backend.patches(samples, patches);
        int n = samples.dim();
        for (int group = 0; group < 2; group++) {
          double[][] rows = Literal.rows(values, literal, group);
          assertThat(Arrays.copyOfRange(moment.toArray(), group * n * n, (group + 1) * n * n))
              .as("%s, group %d", layout, group)
              .containsExactly(Literal.secondMoment(rows));
          int size = rows.length * n;
          assertThat(Arrays.copyOfRange(patches.toArray(), group * size, (group + 1) * size))
              .as("%s, patches of group %d", layout, group)
              .containsExactly(Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray());
        }
      }
    }
  }

  /** Numbers that are exact in all formats, and so are their products. */
  private double[] integers(int size) {
    return random.ints(size, -8, 9).asDoubleStream().toArray();
  }

  private static short[] bits(double[] values, Type type) {
    short[] bits = new short[values.length];
    for (int i = 0; i < bits.length; i++) {
      int floatBits = Float.floatToIntBits((float) values[i]);
      int exponent = values[i] == 0 ? 0 : (floatBits >> 23 & 0xff) - 127 + 15;
      bits[i] =
          (short)
              (type == Type.BF16
                  ? floatBits >>> 16
                  : floatBits >>> 16 & 0x8000 | exponent << 10 | floatBits >> 13 & 0x3ff);
    }
    return bits;
  }

  @Test
  void gradientsArePreconditionedAndScaledInPlace() {
    double[] weight = gaussian(random, 6 * 9);
    double[] bias = gaussian(random, 6);
    MatrixStack g = Fixtures.stack(backend, 1, 6, 6, gaussian(random, 36));
    MatrixStack a = Fixtures.stack(backend, 1, 10, 10, gaussian(random, 100));
    HostTensor w = direct(weight);
    HostTensor b = direct(bias);
    Gradient here = new Gradient(w, b);
    double inner = backend.precondition(List.of(new PreconditionRequest(g, a, 1, here, here)))[0];
    backend.scale(List.of(w, b), 0.5);
    try (Gpu gpuWeight = Gpu.floats(weight);
        Gpu gpuBias = Gpu.floats(bias)) {
      DeviceTensor wThere = DeviceTensor.of(gpuWeight.pointer(), 6, 9);
      DeviceTensor bThere = DeviceTensor.of(gpuBias.pointer(), 6);
      Gradient there = new Gradient(wThere, bThere);
      assertThat(backend.precondition(List.of(new PreconditionRequest(g, a, 1, there, there))))
          .containsExactly(inner);
      backend.scale(List.of(wThere, bThere), 0.5);
      assertThat(gpuWeight.read()).containsExactly(w.toArray());
      assertThat(gpuBias.read()).containsExactly(b.toArray());
    }
  }

  @Test
  void nonFiniteElementsAreFoundAmongTensorsOfBothKinds() {
    double[] bad = new double[3000];
    bad[2500] = Double.NEGATIVE_INFINITY;
    bad[2700] = Double.NaN;
    try (Gpu gpu = Gpu.floats(bad);
        Gpu fine = Gpu.floats(new double[10])) {
      assertThat(
              backend.firstNonFinite(
                  List.of(
                      DeviceTensor.of(fine.pointer(), 10),
                      direct(bad),
                      DeviceTensor.of(gpu.pointer(), 3000),
                      direct(new double[4]))))
          .containsExactly(-1, 2500, 2500, -1);
    }
  }

  @Test
  void pointersThatCannotBeRightAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DeviceTensor.of(new FloatPointer(), 3))
        .withMessageContaining("null pointer")
        .withMessageContaining("[3]");
    try (BytePointer bytes = new BytePointer(64)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DeviceTensor.of(bytes.getPointer(2), 3))
          .withMessageContaining("misaligned pointer")
          .withMessageContaining("F32");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DeviceTensor.of(bytes.getPointer(1), Type.BF16, 3))
          .withMessageContaining("misaligned pointer");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DeviceTensor.of(bytes, 4, 5))
          .withMessageContaining("has 20 elements but the pointer has 16");
    }
  }

  @Test
  void gradientsThatShareDeviceMemoryAreRefused() {
    Map<String, Layer> layers = Map.of("fc", new Dense(3, 2, true));
    try (Kfac kfac = new Kfac(backend, layers, KfacOptions.DEFAULT);
        Gpu gpu = Gpu.floats(new double[] {1, 2, 3, 4, 5, 6, 7, 8})) {
      HostTensor input = direct(gaussian(random, 15), 5, 3);
      HostTensor outputGrad = direct(gaussian(random, 10), 5, 2);
      kfac.observe(List.of(Observation.ofMeanLoss("fc", input, outputGrad)));
      kfac.refresh();
      long address = gpu.pointer().address();
      DeviceTensor weight = DeviceTensor.of(address, Type.F32, 2, 3);
      DeviceTensor inside = DeviceTensor.of(address + 5 * Float.BYTES, Type.F32, 2);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kfac.precondition(List.of(new LayerGradient("fc", weight, inside))))
          .withMessageContaining("weight gradient and layer 'fc': bias gradient share memory");
      assertThat(gpu.read()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
      DeviceTensor behind = DeviceTensor.of(address + 6 * Float.BYTES, Type.F32, 2);
      kfac.precondition(List.of(new LayerGradient("fc", weight, behind)));
      assertThat(gpu.read()[0]).isNotEqualTo(1);
    }
  }

  @Test
  void hostMemoryIsNotTakenForDeviceMemory() {
    double[] data = gaussian(random, 6);
    try (FloatPointer host = new FloatPointer(6)) {
      for (int i = 0; i < 6; i++) {
        host.put(i, (float) data[i]);
      }
      DeviceTensor wrong = DeviceTensor.of(host, 3, 2);
      MatrixStack moment = Fixtures.stack(backend, 1, 2, 2, new double[] {1, 2, 2, 4});
      RowSamples rows = new RowSamples(wrong, 3, 1, 1, 2, false);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> backend.accumulate(List.of(new AccumulateRequest(moment, 0, 1, rows))))
          .withMessageContaining("[3, 2]")
          .withMessageContaining("not in memory of device 0 but of the host");
      assertThat(moment.toArray()).containsExactly(1, 2, 2, 4);
      assertThat(Arrays.stream(backend.firstNonFinite(List.of(direct(data))))).containsOnly(-1L);
    }
  }
}
