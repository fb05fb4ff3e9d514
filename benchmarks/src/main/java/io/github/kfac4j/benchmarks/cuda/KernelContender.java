package io.github.kfac4j.benchmarks.cuda;

import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_BY_SIZE;
import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_FP64_32;
import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_FP64_8;
import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_REGISTERS_128;
import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_REGISTERS_64;
import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_INVERT_SWEEP;
import static io.github.kfac4j.cuda.natives.kfac_cuda.KFAC_SPLIT_F16;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_accumulate;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_accumulate_workspace;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_cuda_build;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_invert;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_invert_workspace;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_patches;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_patches_workspace;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_precondition;
import static io.github.kfac4j.cuda.natives.kfac_cuda.kfac_precondition_workspace;

import io.github.kfac4j.backend.BackendUnavailableException;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.ConvCase;
import io.github.kfac4j.benchmarks.cases.DenseCase;
import io.github.kfac4j.benchmarks.cases.Inputs;
import io.github.kfac4j.benchmarks.cases.InverseCase;
import io.github.kfac4j.benchmarks.cases.PreconditionCase;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import io.github.kfac4j.cuda.natives.kfac_accumulate_request;
import io.github.kfac4j.cuda.natives.kfac_invert_request;
import io.github.kfac4j.cuda.natives.kfac_patches_request;
import io.github.kfac4j.cuda.natives.kfac_precondition_request;
import io.github.kfac4j.cuda.natives.kfac_samples;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * The verbs of libkfac_cuda alone: inputs and results stay on the device, and time is that between
 * two events on the stream, without the host's part of a call.
 */
public final class KernelContender implements Contender {
  /** The name in results and options. */
  public static final String NAME = "cuda-kernels";

  /** What follows the name for inverses by one algorithm, whatever the table of sizes says. */
  private static final Map<String, Integer> ALGORITHMS =
      Map.of(
          "", KFAC_INVERT_BY_SIZE,
          "-8", KFAC_INVERT_FP64_8,
          "-32", KFAC_INVERT_FP64_32,
          "-64", KFAC_INVERT_REGISTERS_64,
          "-128", KFAC_INVERT_REGISTERS_128,
          "-sweep", KFAC_INVERT_SWEEP);

  private final String name;
  private final int algorithm;

  /**
   * Looks for the kernels.
   *
   * @param name {@value #NAME} for all verbs; followed by -32, -64, -128 or -sweep for inverses by
   *     that algorithm alone
   * @throws BackendUnavailableException if CUDA cannot be used
   * @throws IllegalArgumentException if there is no such algorithm
   */
  public KernelContender(String name) {
    Integer found = ALGORITHMS.get(name.substring(NAME.length()));
    if (found == null) {
      throw new IllegalArgumentException("%s: not one of %s".formatted(name, ALGORITHMS.keySet()));
    }
    this.name = name;
    this.algorithm = found;
    Backends.require("cuda").close();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String version() {
    return "kfac4j, " + kfac_cuda_build().getString();
  }

  @Override
  public Work prepare(Case c, long seed) {
    if (algorithm != KFAC_INVERT_BY_SIZE && !(c instanceof InverseCase inverse && fits(inverse))) {
      return null;
    }
    Inputs inputs = new Inputs(seed);
    Device device = new Device();
    if (c instanceof ConvCase conv) {
      kfac_samples samples =
          CaseSamples.of(conv, device.upload(inputs.uniform(0, conv.elements())));
      return conv.verb().equals(Case.PATCHES)
          ? patches(device, samples, conv.rows() * conv.dim())
          : moment(device, samples, conv.dim(), conv.examples());
    }
    if (c instanceof DenseCase dense) {
      FloatPointer data = device.upload(inputs.uniform(0, dense.rows() * dense.width()));
      return moment(device, CaseSamples.of(dense, data), dense.dim(), dense.rows());
    }
    if (c instanceof InverseCase inverse) {
      return inverses(device, inverse, inputs);
    }
    if (c instanceof PreconditionCase precondition) {
      return precondition(device, precondition, inputs);
    }
    device.close();
    return null;
  }

  private boolean fits(InverseCase c) {
    int largest =
        switch (algorithm) {
          case KFAC_INVERT_FP64_8 -> 8;
          case KFAC_INVERT_FP64_32 -> 32;
          case KFAC_INVERT_REGISTERS_64 -> 64;
          case KFAC_INVERT_REGISTERS_128 -> 128;
          default -> Integer.MAX_VALUE;
        };
    return c.sizes().stream().allMatch(n -> n <= largest);
  }

  private static Work patches(Device device, kfac_samples samples, int size) {
    FloatPointer out = device.floats(size);
    kfac_patches_request request = new kfac_patches_request().samples(samples).out(out);
    return new KernelWork(
        device,
        () -> kfac_patches_workspace(request, 1),
        (workspace, bytes, stream) -> kfac_patches(request, 1, workspace, bytes, stream),
        index -> Device.get(out, size));
  }

  private static Work moment(Device device, kfac_samples samples, int dim, int examples) {
    FloatPointer out = device.floats((long) dim * dim);
    kfac_accumulate_request request =
        new kfac_accumulate_request().samples(samples).target(out).weight(1f / examples).decay(0);
    return new KernelWork(
        device,
        () -> kfac_accumulate_workspace(request, 1, KFAC_SPLIT_F16),
        (workspace, bytes, stream) ->
            kfac_accumulate(request, 1, KFAC_SPLIT_F16, workspace, bytes, stream),
        index -> Device.get(out, dim * dim));
  }

  /** Equal matrices as one stack, the factors of a network as one stack each. */
  private Work inverses(Device device, InverseCase c, Inputs inputs) {
    List<Integer> sizes = c.sizes();
    boolean alike = c.network() == null;
    int count = alike ? 1 : sizes.size();
    int stack = alike ? c.count() : 1;
    kfac_invert_request requests = new kfac_invert_request(count);
    List<FloatPointer> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int n = sizes.get(i);
      long square = (long) n * n;
      FloatPointer factors = device.floats(stack * square);
      FloatPointer out = device.floats(stack * square);
      for (int k = 0; k < stack; k++) {
        Device.set(factors.getPointer(k * square), inputs.factor(i + k, n));
        results.add(out.getPointer(k * square));
      }
      requests
          .position(i)
          .matrix(factors)
          .inverse(out)
          .status(new IntPointer(device.allocate((long) stack * Integer.BYTES)))
          .dampings(null)
          .scale(1)
          .damping((float) InverseCase.DAMPING)
          .n(n)
          .count(stack)
          .algorithm(algorithm);
    }
    requests.position(0);
    return new KernelWork(
        device,
        () -> kfac_invert_workspace(requests, count, KFAC_SPLIT_F16),
        (workspace, bytes, stream) ->
            kfac_invert(requests, count, KFAC_SPLIT_F16, workspace, bytes, stream),
        index -> Device.get(results.get(index), sizes.get(index) * sizes.get(index)));
  }

  private static Work precondition(Device device, PreconditionCase c, Inputs inputs) {
    int size = c.out() * c.in();
    FloatPointer out = device.floats(size);
    kfac_precondition_request request =
        new kfac_precondition_request()
            .g_inverse(device.upload(inputs.factor(0, c.out())))
            .a_inverse(device.upload(inputs.factor(1, c.in())))
            .weight_gradient(device.upload(inputs.uniform(2, size)))
            .bias_gradient(null)
            .weight_result(out)
            .bias_result(null)
            .inner(new DoublePointer(device.allocate(Double.BYTES)))
            .groups(1)
            .out(c.out())
            .in(c.in())
            .scale(1)
            .g_norms(new DoublePointer(device.allocate(Double.BYTES)))
            .a_norms(new DoublePointer(device.allocate(Double.BYTES)))
            .norms(new DoublePointer(device.allocate(2 * Double.BYTES)));
    return new KernelWork(
        device,
        () -> kfac_precondition_workspace(request, 1, KFAC_SPLIT_F16),
        (workspace, bytes, stream) ->
            kfac_precondition(request, 1, KFAC_SPLIT_F16, workspace, bytes, stream),
        index -> Device.get(out, size));
  }
}
