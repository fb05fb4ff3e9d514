package io.github.kfac4j.cli.train.run;

import io.github.kfac4j.cli.BadInputException;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The state of one training between two steps. Data order and augmentation depend on seed and step
 * alone, so that they need no state.
 *
 * @param weights parameters of the network
 * @param optimizer state of the update rule
 * @param transform state of the gradient transform, empty without one
 * @param history measurements so far; their number is the step
 */
record Checkpoint(
    Map<String, StoredTensor> weights,
    Map<String, StoredTensor> optimizer,
    Map<String, StoredTensor> transform,
    History history) {
  private static final String FORMAT = "kfac4j-train";
  private static final String VERSION = "1";
  private static final String OPTIONS = "options";
  private static final String STEP = "step";

  /** Writes the file atomically; {@code options} describe the run for whoever finds the file. */
  void write(Path file, String options) throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    weights.forEach((name, tensor) -> tensors.put("weights." + name, tensor));
    optimizer.forEach((name, tensor) -> tensors.put("optimizer." + name, tensor));
    transform.forEach((name, tensor) -> tensors.put("kfac." + name, tensor));
    history.toTensors().forEach((name, tensor) -> tensors.put("history." + name, tensor));
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(FORMAT, VERSION);
    metadata.put(STEP, Long.toString(history.stepCount()));
    metadata.put(OPTIONS, options);
    new TensorFile(tensors, metadata).write(file);
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IOException if the file is missing or damaged
   * @throws BadInputException if it is not a checkpoint
   */
  static Checkpoint read(Path file) throws IOException {
    TensorFile stored = TensorFile.read(file);
    if (!VERSION.equals(stored.metadata().get(FORMAT))) {
      throw new BadInputException(file + " is not a checkpoint of this version of train");
    }
    return new Checkpoint(
        part(stored, "weights."),
        part(stored, "optimizer."),
        part(stored, "kfac."),
        History.fromTensors(part(stored, "history.")));
  }

  private static Map<String, StoredTensor> part(TensorFile file, String prefix) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    file.tensors()
        .forEach(
            (name, tensor) -> {
              if (name.startsWith(prefix)) {
                tensors.put(name.substring(prefix.length()), tensor);
              }
            });
    return tensors;
  }
}
