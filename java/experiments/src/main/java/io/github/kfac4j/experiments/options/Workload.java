package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.DatasetName;
import io.github.kfac4j.experiments.data.Datasets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What is trained, and on what.
 *
 * @param data the data set
 * @param dataDir folder of the data set, or null to search
 * @param model the network
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Workload(
    DatasetName data, @JsonProperty("data_dir") String dataDir, ModelName model) {

  /** A network on Fashion-MNIST, wherever it is found. */
  public static Workload usual(ModelName model) {
    return new Workload(DatasetName.FASHION_MNIST, null, model);
  }

  /**
   * Reads the data set.
   *
   * @throws io.github.kfac4j.experiments.BadInputException if it is missing or damaged
   */
  public Dataset load() {
    return Datasets.load(data, Optional.ofNullable(dataDir).map(Path::of));
  }

  /** The network and its data set, as titles have them. */
  @Override
  public String toString() {
    return "%s on %s".formatted(model, data);
  }
}
