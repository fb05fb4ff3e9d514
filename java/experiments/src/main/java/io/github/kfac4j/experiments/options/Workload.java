package io.github.kfac4j.experiments.options;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.kfac4j.experiments.BadInputException;
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

  /**
   * Checks that the network reads such data.
   *
   * @throws BadInputException naming both
   */
  public Workload {
    if (data.isText() != model.text().isPresent()) {
      throw new BadInputException(
          "--model %s reads %s, but --data %s is %s"
              .formatted(
                  model,
                  model.text().isPresent() ? "text" : "images",
                  data,
                  data.isText() ? "text" : "images"));
    }
  }

  /** A network on Fashion-MNIST, wherever it is found; a language model on some text. */
  public static Workload usual(ModelName model) {
    return new Workload(
        model.text().isPresent() ? DatasetName.TEXT : DatasetName.FASHION_MNIST, null, model);
  }

  /**
   * Reads the data set.
   *
   * @throws BadInputException if it is missing or damaged
   */
  public Dataset load() {
    Optional<Path> directory = Optional.ofNullable(dataDir).map(Path::of);
    return model
        .text()
        .map(form -> Datasets.loadText(data, directory, form))
        .orElseGet(() -> Datasets.load(data, directory));
  }

  /** The network and its data set, as titles have them. */
  @Override
  public String toString() {
    return "%s on %s".formatted(model, data);
  }
}
