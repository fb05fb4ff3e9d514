package io.github.kfac4j.curvature;

import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.Approximation;
import io.github.kfac4j.options.DampingMode;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the state of a layer belongs to. It travels with the layer's matrices as a tensor of UTF-8
 * text, one {@code key: value} a line, so that it is there wherever they go. What is not in it may
 * differ when a run is resumed: damping, decay, clip, learning rate, the lengths of intervals.
 *
 * @param values by what they are, in the order of messages
 */
public record StateIdentity(Map<String, String> values) {
  /** The name of the tensor, after the layer's. */
  public static final String NAME = "identity";

  private static final String FORMAT = "format";

  /** Format 3 is the first one with identities. */
  private static final String VERSION = "3";

  public static StateIdentity of(String name, Layer layer, KfacOptions options) {
    Approximation approximation = options.approximationOf(name);
    DampingMode mode = options.dampingMode();
    if (!approximation.dampingModes().contains(mode)) {
      mode = approximation.dampingModes().iterator().next();
    }
    Map<String, String> values = new LinkedHashMap<>();
    values.put(FORMAT, VERSION);
    values.put("layer", layer.toString());
    values.put("approximation", approximation.name());
    boolean empirical = options.convention().dividesTwice(options.estimator());
    values.put(
        "convention", options.convention().id() + (empirical ? " of the empirical Fisher" : ""));
    values.put("damping mode", mode.name());
    values.put(
        "intervals",
        options.intervals().similarity().isPresent() ? "found by each layer" : "of all layers");
    return new StateIdentity(values);
  }

  public StoredTensor toTensor() {
    List<String> lines = new ArrayList<>();
    values.forEach((key, value) -> lines.add(key + ": " + value));
    byte[] text = String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
    ByteBuffer data = ByteBuffer.allocateDirect(text.length).put(text).flip();
    return StoredTensor.of(DType.U8, data, text.length);
  }

  /**
   * Makes sure that a saved state belongs to the same.
   *
   * @param layer its name
   * @param saved its identity, or null if it has none
   * @throws IllegalArgumentException naming what differs and both sides
   */
  public void require(String layer, StoredTensor saved) {
    if (saved == null || saved.dtype() != DType.U8) {
      throw new IllegalArgumentException(
          LayerState.prefix(layer)
              + "the saved K-FAC state does not say what it belongs to: it is of kfac4j before"
              + " format "
              + VERSION
              + ", or has no such layer. Weights can be kept; start K-FAC anew");
    }
    Map<String, String> theirs = parse(saved);
    List<String> differences = new ArrayList<>();
    values.forEach(
        (key, value) -> {
          String other = theirs.getOrDefault(key, "unknown");
          if (!other.equals(value)) {
            differences.add("%s %s there, %s here".formatted(key, other, value));
          }
        });
    if (!differences.isEmpty()) {
      throw new IllegalArgumentException(
          LayerState.prefix(layer)
              + "the saved K-FAC state belongs to something else: "
              + String.join("; ", differences));
    }
  }

  private static Map<String, String> parse(StoredTensor saved) {
    byte[] text = new byte[saved.data().remaining()];
    saved.data().get(text);
    Map<String, String> values = new LinkedHashMap<>();
    for (String line : new String(text, StandardCharsets.UTF_8).split("\n")) {
      int colon = line.indexOf(": ");
      values.put(line.substring(0, Math.max(0, colon)), line.substring(colon < 0 ? 0 : colon + 2));
    }
    return values;
  }
}
