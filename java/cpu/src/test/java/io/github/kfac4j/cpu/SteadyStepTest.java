package io.github.kfac4j.cpu;

import static io.github.kfac4j.testkit.Fixtures.gaussian;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Gradient;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.samples.ChannelSamples;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.RowSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.samples.Window;
import io.github.kfac4j.tensor.HostTensor;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/**
 * What a step allocates once memory has grown to what it needs: nothing outside the heap, and on
 * the heap the few objects that describe a request, whatever the sizes of layers and batch.
 */
class SteadyStepTest {
  /** Bytes of objects for one layer in one verb. */
  private static final long BOUND = 4 << 10;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final int LAYERS = 2;
  private static final int STEPS = 40;

  @Test
  void nothingGrowsWithTheSizesOfLayersAndBatch() {
    for (int size : new int[] {1, 2, 8}) {
      try (CpuBackend backend = new CpuBackend(2);
          Layers layers = new Layers(backend, size)) {
        layers.verbs.forEach(verb -> requireSteady(backend, size, verb));
      }
    }
  }

  private record Verb(String name, Runnable body) {}

  private static void requireSteady(CpuBackend backend, int size, Verb verb) {
    for (int i = 0; i < STEPS; i++) {
      verb.body.run();
    }
    long scratch = backend.scratchBytes();
    long pointers = NativeMemory.reachableBytes();
    long[] direct = directBuffers();
    long[] threads = threads();
    long heap = heapBytes(threads);
    for (int i = 0; i < STEPS; i++) {
      verb.body.run();
    }
    long bytes = (heapBytes(threads) - heap) / STEPS;
    assertThat(directBuffers()).as("direct buffers of %s", verb.name).isEqualTo(direct);
    assertThat(Pointer.totalBytes()).as("native memory of %s", verb.name).isEqualTo(pointers);
    assertThat(backend.scratchBytes()).as("scratch memory of %s", verb.name).isEqualTo(scratch);
    assertThat(bytes)
        .as("bytes on the heap for each %s at size %d", verb.name, size)
        .isLessThan(LAYERS * BOUND);
  }

  /** This thread and those of the pool. */
  private static long[] threads() {
    List<Long> ids = new ArrayList<>(List.of(Thread.currentThread().getId()));
    for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().startsWith("kfac-cpu-")) {
        ids.add(thread.getThreadId());
      }
    }
    return ids.stream().mapToLong(Long::longValue).toArray();
  }

  /** Bytes that threads have allocated so far. */
  private static long heapBytes(long[] threads) {
    long sum = 0;
    for (long thread : threads) {
      sum += Math.max(0, THREADS.getThreadAllocatedBytes(thread));
    }
    return sum;
  }

  private static long[] directBuffers() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .flatMapToLong(p -> java.util.stream.LongStream.of(p.getCount(), p.getMemoryUsed()))
        .toArray();
  }

  /** A convolution and a dense layer, widths and batch in proportion to a size. */
  private static final class Layers implements AutoCloseable {
    private final Random random = new Random(1);
    private final CpuBackend backend;
    private final List<MatrixStack> stacks = new ArrayList<>();
    private final List<Verb> verbs = new ArrayList<>();

    Layers(CpuBackend backend, int size) {
      this.backend = backend;
      int batch = 8 * size;
      int channels = 2 * size;
      int side = 12;
      int out = 4 * size;
      int in = 128 * size;
      HostTensor images = data(batch * channels * side * side);
      Samples convA =
          new PatchSamples(
              images,
              batch,
              channels,
              side,
              side,
              ImageLayout.NCHW,
              Window.of(3, 3).withPadding(1, 1),
              1,
              true);
      Samples convG =
          new ChannelSamples(data(batch * out * side * side), batch, side * side, 1, out);
      Samples denseA = new RowSamples(data(batch * in), batch, 1, 1, in, true);
      Samples denseG = new RowSamples(data(batch * 10 * out), batch, 1, 1, 10 * out, false);
      Block conv = new Block(convA, convG);
      Block dense = new Block(denseA, denseG);
      List<Block> blocks = List.of(conv, dense);
      List<HostTensor> tensors =
          blocks.stream().map(b -> b.gradient.weight()).map(HostTensor.class::cast).toList();
      verbs.add(new Verb("search for NaN", () -> backend.firstNonFinite(tensors)));
      verbs.add(new Verb("factors", () -> backend.accumulate(moments(blocks))));
      verbs.add(new Verb("inverses", () -> backend.invert(inversions(blocks))));
      verbs.add(new Verb("preconditioning", () -> backend.precondition(steps(blocks))));
    }

    private HostTensor data(int size) {
      return Data.direct(gaussian(random, size));
    }

    private final class Block {
      final Samples a;
      final Samples g;
      final Gradient gradient;
      final MatrixStack aFactor;
      final MatrixStack gFactor;
      final MatrixStack aInverse;
      final MatrixStack gInverse;

      Block(Samples a, Samples g) {
        this.a = a;
        this.g = g;
        this.gradient = new Gradient(data(g.dim() * (a.dim() - 1)), data(g.dim()));
        this.aFactor = square(a.dim());
        this.gFactor = square(g.dim());
        this.aInverse = square(a.dim());
        this.gInverse = square(g.dim());
      }

      private MatrixStack square(int dim) {
        MatrixStack stack = backend.allocate(1, dim, dim);
        stacks.add(stack);
        return stack;
      }
    }

    private static List<AccumulateRequest> moments(List<Block> blocks) {
      List<AccumulateRequest> moments = new ArrayList<>();
      for (Block block : blocks) {
        moments.add(new AccumulateRequest(block.aFactor, 0.9, 0.1, block.a));
        moments.add(new AccumulateRequest(block.gFactor, 0.9, 0.1, block.g));
      }
      return moments;
    }

    private static List<InvertRequest> inversions(List<Block> blocks) {
      List<InvertRequest> inversions = new ArrayList<>();
      for (Block block : blocks) {
        inversions.add(new InvertRequest(block.aFactor, 1, new double[] {1}, block.aInverse));
        inversions.add(new InvertRequest(block.gFactor, 1, new double[] {1}, block.gInverse));
      }
      return inversions;
    }

    private static List<PreconditionRequest> steps(List<Block> blocks) {
      List<PreconditionRequest> steps = new ArrayList<>();
      for (Block b : blocks) {
        steps.add(new PreconditionRequest(b.gInverse, b.aInverse, 1e-3, b.gradient, b.gradient));
      }
      return steps;
    }

    @Override
    public void close() {
      stacks.forEach(MatrixStack::close);
    }
  }
}
