package io.github.kfac4j.experiments.study.scaling;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * How fast a cluster is; measured here, or read from a file with the same names.
 *
 * @param name what it is and where the numbers come from
 * @param images of each rank and iteration
 * @param flopsPerSecond of passes, factors and preconditioning
 * @param inverseSeconds of one damped inverse, by dimension
 * @param latencySeconds of a message between two ranks
 * @param bytesPerSecond that a rank sends
 */
public record Cluster(
    String name,
    int images,
    @JsonProperty("flops_per_second") double flopsPerSecond,
    @JsonProperty("inverse_seconds") Map<Integer, Double> inverseSeconds,
    @JsonProperty("latency_seconds") double latencySeconds,
    @JsonProperty("bytes_per_second") double bytesPerSecond) {
  private static final int MAX_BYTES = 1 << 20; // of a file

  /**
   * Checks the values.
   *
   * @throws BadInputException naming what is not positive or missing
   */
  public Cluster {
    require(images > 0, "images", images);
    require(flopsPerSecond > 0, "flops_per_second", flopsPerSecond);
    require(latencySeconds >= 0, "latency_seconds", latencySeconds);
    require(bytesPerSecond > 0, "bytes_per_second", bytesPerSecond);
    require(inverseSeconds != null && inverseSeconds.size() > 1, "inverse_seconds", inverseSeconds);
    inverseSeconds = new TreeMap<>(inverseSeconds);
    inverseSeconds.forEach(
        (n, seconds) -> require(n > 0 && seconds > 0, "inverse_seconds", n + ": " + seconds));
  }

  private static void require(boolean ok, String what, Object value) {
    if (!ok) {
      throw new BadInputException(
          "the cluster's %s must be positive%s, got %s"
              .formatted(
                  what, what.startsWith("inverse") ? ", for two dimensions or more" : "", value));
    }
  }

  /**
   * Reads a file.
   *
   * @throws BadInputException if it is missing, not JSON, or a value is missing or bad
   */
  public static Cluster read(Path file) {
    ObjectMapper mapper =
        new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);
    try {
      return mapper.readValue(RegularFile.read(file, MAX_BYTES), Cluster.class);
    } catch (JsonProcessingException e) {
      if (e.getCause() instanceof BadInputException bad) {
        throw new BadInputException("%s: %s".formatted(file, bad.getMessage()), e);
      }
      throw new BadInputException("%s: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new BadInputException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  /** The time of one inverse: a power law between the measured dimensions and beyond them. */
  double inverseSeconds(int n) {
    TreeMap<Integer, Double> points = (TreeMap<Integer, Double>) inverseSeconds;
    Integer high = points.ceilingKey(n);
    if (high != null && high == n) {
      return points.get(n);
    }
    high = high == null ? points.lastKey() : high;
    Integer low = points.lowerKey(high);
    if (low == null) {
      return points.firstEntry().getValue(); // smaller than any: not less than the smallest
    }
    double slope = Math.log(points.get(high) / points.get(low)) / Math.log((double) high / low);
    return points.get(low) * Math.pow((double) n / low, slope);
  }
}
