package io.github.kfac4j.distributed.asynchronous;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.kfac4j.data.LayerGradient;
import io.github.kfac4j.distributed.DistributedKfac;
import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.collectives.CollectivesScenario;
import io.github.kfac4j.distributed.collectives.MpiCollectives;
import io.github.kfac4j.distributed.collectives.Precision;
import io.github.kfac4j.distributed.exchange.Frames;
import io.github.kfac4j.distributed.sharing.Assignment;
import io.github.kfac4j.distributed.sharing.LayerCost;
import io.github.kfac4j.distributed.sharing.Mlp;
import io.github.kfac4j.distributed.sharing.TrainingScenario;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.tensor.HostTensor;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;

/** What a process does that {@link MpiTest} starts under mpirun; named by its first argument. */
final class MpiRank {
  private static final KfacOptions OPTIONS = TrainingScenario.OPTIONS;

  private MpiRank() {}

  public static void main(String[] args) throws Exception {
    // whole lines, because those of all ranks go to one file
    System.setOut(
        new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out))));
    MpiCollectives c = join();
    try {
      switch (args[0]) {
        case "collectives" -> collectives(c);
        case "train" -> train(c);
        case "asynchronous" -> asynchronous(c);
        case "nan" -> nan(c);
        case "differ" -> differ(c);
        case "die" -> die(c);
        case "abort" -> abort(c);
        default -> throw new IllegalArgumentException(args[0]);
      }
    } catch (Throwable e) {
      e.printStackTrace();
      c.abort(e.toString(), 2);
    }
    c.close();
    say("rank %d of %d done".formatted(c.rank(), c.size()));
  }

  /** In a scope of the caller's, which must not free what lasts. */
  @SuppressWarnings("try") // the scope is there to be closed
  private static MpiCollectives join() {
    try (PointerScope scope = new PointerScope()) {
      return MpiCollectives.join();
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  /** All operations, also while the JVM uses its signals and collects garbage. */
  private static void collectives(Collectives c) throws InterruptedException {
    CollectivesScenario.run(c);
    Thread garbage =
        new Thread(
            () -> {
              for (int i = 0; i < 200; i++) {
                byte[] waste = new byte[1 << 20];
                if (waste[i] == 0 && i % 50 == 0) {
                  System.gc();
                }
              }
            });
    garbage.start();
    int thrown = 0;
    for (int i = 0; i < 50; i++) {
      CollectivesScenario.run(c);
      for (int j = 0; j < 1000; j++) {
        thrown += hashOrOne(j % 8 == 0 ? null : "x");
      }
    }
    garbage.join();
    assertThat(thrown).isEqualTo(50 * 125);
  }

  private static int hashOrOne(Object o) {
    try {
      return o.hashCode() == 120 ? 0 : -1;
    } catch (NullPointerException e) {
      return 1;
    }
  }

  private static void train(Collectives c) {
    Assignment assignment = Assignment.balanced(LayerCost.cubic(Mlp.layers()), c.size());
    for (Precision precision : Precision.values()) {
      List<double[]> weights =
          TrainingScenario.distributed(c, TrainingScenario.UNEVEN, OPTIONS, assignment, precision);
      double tolerance = precision == Precision.FP32 ? 1e-6 : 1e-3;
      TrainingScenario.assertClose(weights, TrainingScenario.serial(OPTIONS), tolerance);
      int bits = weights.stream().mapToInt(Arrays::hashCode).reduce(0, (a, b) -> 31 * a + b);
      for (byte[] other : Frames.gather(c, Frames.bytes(out -> out.writeInt(bits)))) {
        assertThat(Frames.<Integer>read(other, in -> in.readInt())).isEqualTo(bits);
      }
    }
  }

  /** Two gradient, two statistics and one inverse worker, beside two synchronous ranks. */
  private static void asynchronous(Collectives c) {
    Mlp network = new Mlp();
    try (Collectives some = c.split(c.rank() / 2)) {
      int[] shard = TrainingScenario.shard(some, TrainingScenario.EVEN);
      try (var kfac = DistributedKfac.of(some, new JavaBackend(), Mlp.layers(), OPTIONS)) {
        TrainingScenario.train(network, kfac, 0, TrainingScenario.STEPS, shard);
      }
    }
    List<double[]> stale = null;
    for (int bound : new int[] {0, 2, 2}) {
      AsynchronousPlan plan = new AsynchronousPlan(2, 2, 1, bound, Clock.LOGICAL);
      var result =
          AsynchronousScenario.run(
              c, plan, SlowBackend.of(c.rank()), OPTIONS, TrainingScenario.STEPS);
      if (result != null && bound == 0) {
        TrainingScenario.assertSame(List.of(network.weights(), result.weights()));
      } else if (result != null) {
        stale = stale == null ? result.weights() : stale;
        TrainingScenario.assertSame(List.of(stale, result.weights()));
        assertThat(result.lags()).contains(2L);
      }
    }
  }

  private static void nan(Collectives c) {
    try (var kfac = DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), OPTIONS)) {
      Mlp network = new Mlp();
      int[] shard = TrainingScenario.shard(c, TrainingScenario.EVEN);
      TrainingScenario.train(network, kfac, 0, 2, shard);
      network.forwardBackward(2, shard[0], shard[1]);
      List<LayerGradient> gradients = network.gradients();
      if (c.rank() == 1) {
        ((HostTensor) gradients.get(2).bias()).write(1, new double[] {Double.NaN}, 0, 1);
      }
      say(catchThrowable(() -> kfac.precondition(gradients)).getMessage());
    }
  }

  private static void differ(Collectives c) {
    KfacOptions options = OPTIONS.withDamping(c.rank() == 1 ? 0.5 : 0.1);
    Throwable refusal =
        catchThrowable(
            () -> DistributedKfac.of(c, new JavaBackend(), Mlp.layers(), options).close());
    say(refusal.getMessage());
  }

  /** The last rank is killed while the others wait for it. */
  private static void die(Collectives c) throws Exception {
    c.barrier().await();
    if (c.rank() == c.size() - 1) {
      say("dies at " + System.currentTimeMillis());
      new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid()))
          .start()
          .waitFor();
      Thread.sleep(60_000);
    }
    c.allReduce(Buffers.of(1)).await();
  }

  private static void abort(Collectives c) {
    if (c.rank() == 1) {
      throw new IllegalStateException("the disk of this rank is full");
    }
    c.barrier().await();
  }
}
