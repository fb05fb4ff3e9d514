package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The state of one training between two steps. Data order and augmentation depend on seed and step
 * alone, so that they need no state.
 *
 * @param weights parameters of the network
 * @param state state of the update rules by their names
 * @param history measurements so far; their number is the step
 */
public record Checkpoint(
    Map<String, StoredTensor> weights,
    Map<String, Map<String, StoredTensor>> state,
    History history) {
  private static final String FORMAT = "kfac4j-train";
  private static final String VERSION = "2";
  private static final String OPTIONS = "options";
  private static final String STEP = "step";
  private static final List<String> MEMORIES = List.of("optimizer", "kfac", "average");

  /** Writes the file atomically; {@code options} describe the run for whoever finds the file. */
  public void write(Path file, String options) throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    weights.forEach((name, tensor) -> tensors.put("weights." + name, tensor));
    state.forEach(
        (who, memory) -> memory.forEach((name, tensor) -> tensors.put(who + "." + name, tensor)));
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
   * @throws IOException if the file is missing, damaged or without its checksum
   * @throws BadInputException if it is not a checkpoint, or holds impossible measurements
   */
  public static Checkpoint read(Path file) throws IOException {
    TensorFile stored = TensorFile.readChecked(file);
    if (!VERSION.equals(stored.metadata().get(FORMAT))) {
      throw new BadInputException(file + " is not a checkpoint of this version of train");
    }
    Map<String, Map<String, StoredTensor>> state = new LinkedHashMap<>();
    MEMORIES.forEach(who -> state.put(who, part(stored, who + ".")));
    return new Checkpoint(part(stored, "weights."), state, history(file, stored));
  }

  private static History history(Path file, TensorFile stored) {
    History history;
    try {
      history = History.fromTensors(part(stored, "history."));
    } catch (BadInputException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
    String step = stored.metadata().get(STEP);
    if (!Long.toString(history.stepCount()).equals(step)) {
      throw new BadInputException(
          "%s: is of step %s, but its history has %d".formatted(file, step, history.stepCount()));
    }
    return history;
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
