package io.github.kfac4j.benchmarks.command;

import io.github.kfac4j.benchmarks.jmh.FactorBenchmark;
import io.github.kfac4j.benchmarks.jmh.InverseBenchmark;
import io.github.kfac4j.benchmarks.jmh.PatchBenchmark;
import io.github.kfac4j.benchmarks.jmh.PreconditionBenchmark;
import io.github.kfac4j.benchmarks.jmh.StepBenchmark;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A look at every verb in a few minutes. */
@Command(
    name = "short",
    mixinStandardHelpOptions = true,
    description = "Every JMH benchmark on a few shapes; less than five minutes.")
final class ShortCommand implements Callable<Integer> {
  private static final TimeValue TIME = TimeValue.milliseconds(500);

  private static final Map<Class<?>, List<String>> SHAPES = new LinkedHashMap<>();

  static {
    SHAPES.put(PatchBenchmark.class, List.of("patches 28x28 c64 n16 k3"));
    SHAPES.put(
        FactorBenchmark.class, List.of("conv-factor 28x28 c64 n64 k3", "dense-factor 1024 x 1024"));
    SHAPES.put(
        InverseBenchmark.class, List.of("inverse n=64", "inverse n=576", "inverse 1000 x 32"));
    SHAPES.put(
        PreconditionBenchmark.class,
        List.of("precondition 256 x 1152", "precondition-network Simple CNN, batch 256"));
    SHAPES.put(StepBenchmark.class, List.of("step Simple CNN, batch 256"));
  }

  @Option(
      names = "--contender",
      split = ",",
      defaultValue = "cpu",
      description = "backends of ours or peers; default: ${DEFAULT-VALUE}")
  private String[] contenders;

  @Option(names = "--threads", description = "for each contender; default: all cores")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Override
  public Integer call() throws RunnerException {
    for (var entry : SHAPES.entrySet()) {
      new Runner(
              new OptionsBuilder()
                  .include(entry.getKey().getName())
                  .param("contender", contenders)
                  .param("threads", Integer.toString(threads))
                  .param("shape", entry.getValue().toArray(String[]::new))
                  .warmupIterations(2)
                  .warmupTime(TIME)
                  .measurementIterations(4)
                  .measurementTime(TIME)
                  .build())
          .run();
    }
    System.out.println("contenders: " + Arrays.toString(contenders) + ", threads: " + threads);
    return 0;
  }
}
