package io.github.kfac4j.experiments.study.scaling;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.experiments.AssignmentRule;
import io.github.kfac4j.experiments.train.Team;
import io.github.kfac4j.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The time of an iteration of layer-parallel K-FAC on ResNet-50 against the number of ranks, for
 * every way to assign layers.
 *
 * @param cluster whose speeds were used
 * @param predictions by assignment and number of ranks
 */
public record ScalingStudy(Cluster cluster, List<Prediction> predictions) {
  private static final int MAX_RANKS = 1024;

  /** The predictions for a cluster. */
  public static ScalingStudy of(Cluster cluster) {
    List<LayerSize> layers = ResNet50.layers();
    List<Prediction> predictions = new ArrayList<>();
    for (AssignmentRule rule : AssignmentRule.values()) {
      for (int ranks = 1; ranks <= MAX_RANKS; ranks *= 2) {
        predictions.add(Prediction.of(layers, cluster, rule, ranks));
      }
    }
    return new ScalingStudy(cluster, predictions);
  }

  /**
   * Measures the speeds of this machine; called by every rank of the team.
   *
   * @param images of each rank, for the predictions
   * @param largest dimension of an inverse that is measured
   */
  public static Cluster measure(Backend backend, Team team, int images, int largest) {
    Link link = team.size() > 1 ? Link.of(team.collectives()) : Link.betweenThreads();
    return SpeedMeasurement.of(backend, link, images, largest);
  }

  /** The number of ranks with the shortest iteration, by the name of the assignment. */
  public Map<String, Integer> fastest() {
    Map<String, Integer> fastest = new LinkedHashMap<>();
    for (AssignmentRule rule : AssignmentRule.values()) {
      predictions.stream()
          .filter(p -> p.assignment().equals(rule.toString()))
          .min(Comparator.comparingDouble(Prediction::seconds))
          .ifPresent(p -> fastest.put(rule.toString(), p.ranks()));
    }
    return fastest;
  }

  /** Writes {@code scaling.csv}, {@code scaling.png} and {@code cluster.json}; makes the folder. */
  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    StringBuilder csv = new StringBuilder("assignment,ranks,compute,inversion,network,seconds\n");
    for (Prediction p : predictions) {
      csv.append(
          "%s,%d,%.6g,%.6g,%.6g,%.6g%n"
              .formatted(
                  p.assignment(), p.ranks(), p.compute(), p.inversion(), p.network(), p.seconds()));
    }
    AtomicFile.write(folder.resolve("scaling.csv"), csv.toString().getBytes(UTF_8));
    AtomicFile.write(folder.resolve("scaling.png"), ScalingChart.png(predictions));
    ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    String json = mapper.writeValueAsString(cluster) + System.lineSeparator();
    AtomicFile.write(folder.resolve("cluster.json"), json.getBytes(UTF_8));
  }
}
