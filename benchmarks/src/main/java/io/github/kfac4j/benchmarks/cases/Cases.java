package io.github.kfac4j.benchmarks.cases;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** The cases and networks of {@code cases.json}. */
public final class Cases {
  private static final File FILE = read();

  private Cases() {}

  private record File(Map<String, List<LayerShape>> networks, List<Case> cases) {}

  private static File read() {
    try (InputStream in = Cases.class.getResourceAsStream("cases.json")) {
      return new ObjectMapper().readValue(in, File.class);
    } catch (IOException e) {
      throw new UncheckedIOException("cases.json", e);
    }
  }

  /** All cases. */
  public static List<Case> all() {
    return FILE.cases();
  }

  /** The cases of a set: {@code compare}, {@code more} or {@code tiny}. */
  public static List<Case> of(String set) {
    return all().stream().filter(c -> c.set().equals(set)).toList();
  }

  /**
   * The case of this verb and name, such as {@code inverse n=64}.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Case byId(String id) {
    return all().stream()
        .filter(c -> c.id().equals(id))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("cases.json has no case '" + id + "'"));
  }

  /** The layers of a network. */
  public static List<LayerShape> network(String name) {
    return FILE.networks().get(name);
  }
}
