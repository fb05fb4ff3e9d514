package io.github.kfac4j.cli.study.scaling;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cli.AssignmentRule;
import io.github.kfac4j.cli.BackendOption;
import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.cli.JsonOption;
import io.github.kfac4j.cli.train.run.Team;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
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
  private static final int MOST_RANKS = 1024;

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
          return 0;
        }
      }
    }
    List<Prediction> predictions = predict(cluster);
    Files.createDirectories(out);
    write(cluster, predictions);
    print(cluster, predictions);
    return 0;
  }

  private Cluster measure(Team team) {
    try (Backend backend = backendOption.open()) {
      Link link = team.size() > 1 ? Link.of(team.collectives()) : Link.betweenThreads();
      return Measurement.of(backend, link, images, largest);
    }
  }

  private static List<Prediction> predict(Cluster cluster) {
    List<ModelLayer> layers = ResNet50.layers();
    List<Prediction> predictions = new ArrayList<>();
    for (AssignmentRule rule : AssignmentRule.values()) {
      for (int ranks = 1; ranks <= MOST_RANKS; ranks *= 2) {
        predictions.add(Prediction.of(layers, cluster, rule, ranks));
      }
    }
    return predictions;
  }

  private void write(Cluster cluster, List<Prediction> predictions) throws IOException {
    StringBuilder csv = new StringBuilder("assignment,ranks,compute,inversion,network,seconds\n");
    for (Prediction p : predictions) {
      csv.append(
          "%s,%d,%.6g,%.6g,%.6g,%.6g%n"
              .formatted(
                  p.assignment(), p.ranks(), p.compute(), p.inversion(), p.network(), p.seconds()));
    }
    Files.writeString(out.resolve("scaling.csv"), csv);
    ScalingChart.write(predictions, out.resolve("scaling.png"));
    try (PrintWriter file = new PrintWriter(Files.newBufferedWriter(out.resolve("cluster.json")))) {
      JsonOption.print(cluster, file);
    }
  }

  private void print(Cluster cluster, List<Prediction> predictions) {
    PrintWriter writer = spec.commandLine().getOut();
    if (json.enabled()) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("cluster", cluster);
      document.put("predictions", predictions);
      document.put("fastest_ranks", fastest(predictions));
      JsonOption.print(document, writer);
      return;
    }
    writer.println(cluster.name());
    writer.printf(
        "%-12s %6s %9s %9s %9s %9s%n",
        "layers", "ranks", "compute", "inversion", "network", "seconds");
    for (Prediction p : predictions) {
      writer.printf(
          "%-12s %6d %9.4f %9.4f %9.4f %9.4f%n",
          p.assignment(), p.ranks(), p.compute(), p.inversion(), p.network(), p.seconds());
    }
    fastest(predictions)
        .forEach((rule, ranks) -> writer.printf("%s: fastest with %d ranks%n", rule, ranks));
    writer.println("chart: " + out.resolve("scaling.png"));
    writer.flush();
  }

  private static Map<String, Integer> fastest(List<Prediction> predictions) {
    Map<String, Integer> fastest = new LinkedHashMap<>();
    for (AssignmentRule rule : AssignmentRule.values()) {
      predictions.stream()
          .filter(p -> p.assignment().equals(rule.toString()))
          .min(Comparator.comparingDouble(Prediction::seconds))
          .ifPresent(p -> fastest.put(rule.toString(), p.ranks()));
    }
    return fastest;
  }
}
