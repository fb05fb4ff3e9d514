package io.github.kfac4j.cli.study;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cli.common.BackendOption;
import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.scaling.Cluster;
import io.github.kfac4j.experiments.study.scaling.Prediction;
import io.github.kfac4j.experiments.study.scaling.ScalingStudy;
import io.github.kfac4j.experiments.train.Team;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code study scaling}. */
@Command(
    name = "scaling",
    mixinStandardHelpOptions = true,
    description = {
      "Predicts the time of an iteration of layer-parallel K-FAC on ResNet-50 (107 layers) against"
          + " the number of ranks.",
      "Measures this machine: inverses by dimension, the rate of factor updates, latency and"
          + " bandwidth of the collectives, between threads or, under mpirun, between its ranks."
          + " Or reads a cluster from a file; the one that was used is left as cluster.json."
    },
    sortOptions = false)
public final class ScalingCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--cluster",
      paramLabel = "FILE",
      description = "Speeds of another cluster, as JSON with the names in cluster.json.")
  private Path clusterFile;

  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "32",
      description = "Images of each rank and iteration, where this machine is measured (32).")
  private int images;

  @Option(
      names = "--largest-inverse",
      paramLabel = "N",
      defaultValue = "2048",
      description = "The largest dimension that is measured; beyond it costs follow the power law.")
  private int largest;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "scaling",
      description = "Folder for scaling.csv, scaling.png and cluster.json (default: scaling).")
  private Path out;

  @Mixin private BackendOption backendOption;
  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    if (largest < 64) {
      throw new BadInputException("--largest-inverse must be at least 64, got " + largest);
    }
    Cluster cluster;
    if (clusterFile != null) {
      cluster = Cluster.read(clusterFile);
    } else {
      try (Team team = Team.join()) {
        cluster = measure(team);
        if (!team.leads()) {
          return ExitCode.OK;
        }
      }
    }
    ScalingStudy study = ScalingStudy.of(cluster);
    study.write(out);
    print(study);
    return ExitCode.OK;
  }

  private Cluster measure(Team team) {
    try (Backend backend = backendOption.open()) {
      return ScalingStudy.measure(backend, team, images, largest);
    }
  }

  private void print(ScalingStudy study) {
    PrintWriter writer = spec.commandLine().getOut();
    if (json.enabled()) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("cluster", study.cluster());
      document.put("predictions", study.predictions());
      document.put("fastest_ranks", study.fastest());
      JsonOption.print(document, writer);
      return;
    }
    writer.println(study.cluster().name());
    writer.printf(
        "%-12s %6s %9s %9s %9s %9s%n",
        "layers", "ranks", "compute", "inversion", "network", "seconds");
    for (Prediction p : study.predictions()) {
      writer.printf(
          "%-12s %6d %9.4f %9.4f %9.4f %9.4f%n",
          p.assignment(), p.ranks(), p.compute(), p.inversion(), p.network(), p.seconds());
    }
    study
        .fastest()
        .forEach((rule, ranks) -> writer.printf("%s: fastest with %d ranks%n", rule, ranks));
    writer.println("chart: " + out.resolve("scaling.png"));
    writer.flush();
  }
}
